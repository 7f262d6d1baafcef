"""Which web pages may use a service: browsers say where a page came from, other clients do not."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from service_kit.problems import problem
from service_kit.refusals import Refusal
from service_kit.security import tell_security

# Django's admin looks at origins by itself, and belongs to the operators' own.
ADMIN: Final = "/admin/"
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "DELETE, GET, HEAD, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-CSRFToken, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
EXPOSED: Final = "Retry-After, X-Request-ID"


def is_allowed(origin: str) -> bool:
    """Whether a page of this origin (RFC 6454) is one of ours: scheme, host and port."""
    return origin.lower() in settings.ALLOWED_ORIGINS


class OriginMiddleware:
    """CORS for the pages of settings.ALLOWED_ORIGINS, cookies included; 403 for any other page.

    A request without Origin is no page's, or a safe one of a page of the service's own origin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin")
        if request.path.startswith(ADMIN):
            return self._get_response(request)
        if origin is None:
            response = self._get_response(request)
        elif is_allowed(origin):
            response = _preflight(request) or self._get_response(request)
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Allow-Credentials"] = "true"
            response["Access-Control-Expose-Headers"] = EXPOSED
        else:
            tell_security("origin.denied", reason=origin[:255])
            response = problem(Refusal("forbidden", "This page's origin is not allowed."))
        patch_vary_headers(response, ["Origin"])
        return response


def _preflight(request: HttpRequest) -> HttpResponse | None:
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=PREFLIGHT)
