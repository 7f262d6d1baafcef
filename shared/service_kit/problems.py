"""How HTTP tells a refusal, and what it answers to any other exception.

problem(refusal)        a Refusal as application/problem+json (RFC 9457)
exception_handler       the whole of it for DRF
not_found, bad_request, forbidden, server_error    the same for Django's own handlers
"""

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from rest_framework.views import set_rollback

from service_kit.refusals import Refusal, as_refusal
from service_kit.rendering import encode_json
from service_kit.security import tell_refusal

logger = logging.getLogger(__name__)


def problem(
    refusal: Refusal, *, allow: str | None = None, status: int | None = None
) -> HttpResponse:
    """Answer with the refusal as RFC 9457 problem+json; `allow` is the Allow header of a 405."""
    status = status or refusal.status
    response = HttpResponse(
        encode_json(_body(refusal, status)), status=status, content_type="application/problem+json"
    )
    if allow is not None:
        response["Allow"] = allow
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _body(refusal: Refusal, status: int) -> dict[str, Any]:
    is_bug = status == HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "type": f"urn:parley:problem:{refusal.code}",
        "title": "Internal Server Error" if is_bug else refusal.title,
        "status": status,
        "detail": refusal.detail,
        "code": refusal.code,
        "errors": list(refusal.errors),
        **refusal.members,
    }


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer any exception of a DRF view; set it as REST_FRAMEWORK["EXCEPTION_HANDLER"].

    DRF itself adds Allow to every answer, so to a 405 too. A bug is logged with its traceback and
    answered 500 without a word about it; Django's signal is sent for it, so the test client raises
    it unless told `raise_request_exception=False`.
    """
    set_rollback()
    refusal = as_refusal(exception)
    if refusal is None:
        return _bug(exception, context)
    if (request := _request_in(context)) is not None:
        tell_refusal(refusal, request)
    return problem(refusal)


def _bug(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    logger.error("unexpected %s", type(exception).__name__, exc_info=exception)
    got_request_exception.send(sender=None, request=_request_in(context))
    return _internal_error()


def _request_in(context: Mapping[str, Any]) -> HttpRequest | None:
    request: HttpRequest | None = getattr(context.get("request"), "_request", None)
    return request


def _internal_error() -> HttpResponse:
    # A bug may strike after the commit, so nothing is promised about what was done.
    return problem(Refusal("outcome_unknown", "Something went wrong on our side."), status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's
    """Answer as handler404."""
    return problem(Refusal("not_found"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's
    """Answer as handler400."""
    return problem(as_refusal(exception) or Refusal("invalid"))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's
    """Answer as handler403."""
    return problem(Refusal("forbidden"))


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """Answer as handler500: Django has logged the bug; a store that is away is 503, not 500."""
    exception = sys.exc_info()[1]
    refusal = as_refusal(exception) if isinstance(exception, Exception) else None
    return problem(refusal) if refusal else _internal_error()
