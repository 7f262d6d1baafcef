"""What a process counts, for Prometheus."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

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


def show_age(gauge: Gauge, since: datetime | None) -> None:
    """Have a gauge show the seconds since a moment, whenever it is asked; 0 without a moment.

    So it grows also while whoever calls this is stuck.
    """
    gauge.set_function(lambda: (timezone.now() - since).total_seconds() if since else 0.0)
