"""What a process counts, for Prometheus."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

PATH = "/metrics"


class MetricsMiddleware:
    """Answer GET /metrics with what this process has counted, whatever host was asked.

    Prometheus asks each container by its address, which no list of allowed hosts holds. The gateway
    must not route the path to the public.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == PATH and request.method in {"GET", "HEAD"}:
            return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
        return self._get_response(request)
