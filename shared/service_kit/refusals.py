"""The one exception both doors answer, and what else counts as it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TypedDict

import psycopg2
import redis.exceptions
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.settings import api_settings

from service_kit.codes import STATUS, TITLE


class FieldError(TypedDict):
    """One thing wrong with one field; `field` is dotted (`poll.options.0`), "" for the whole."""

    field: str
    code: str
    detail: str


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error
    """A request that is answered with no: `code` is one of codes.STATUS.

    `detail` is for people and may be shown. `retry_after` is in seconds; for codes that mean
    "later" (429, 503) it is 1 unless given. One that `is_told` stands in the security log already.
    `members` stand in the problem beside the rest (RFC 9457, section 3.2).
    """

    is_told = False
    members: Mapping[str, str] = {}

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status = STATUS[code]
        self.title = TITLE[code]
        self.detail = detail
        self.errors = tuple(errors)
        is_later = self.status in {429, 503}
        self.retry_after = 1 if retry_after is None and is_later else retry_after


def as_refusal(exception: BaseException) -> Refusal | None:
    """Tell which refusal an exception of ours, Django, DRF, Postgres or Redis amounts to.

    None means that it is a bug, to be logged and answered 500 or 1011. A store that is away is
    `unavailable`, which promises that nothing was done; when it went away during a COMMIT it is
    `outcome_unknown`. Writes outside `transaction.atomic()` cannot be told apart: use it.
    """
    if isinstance(exception, Refusal):
        return exception
    for kinds, refuse in _KNOWN:
        if isinstance(exception, kinds):
            return refuse(exception)
    return None


def _invalid(exception: drf.ValidationError) -> Refusal:
    errors = list(_flatten(exception.detail, ""))
    detail = errors[0]["detail"] if len(errors) == 1 else "Some fields are not valid."
    return Refusal("invalid", detail, errors=errors)


def _flatten(detail: object, field: str) -> Iterator[FieldError]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, _below(field, str(key)))
    elif isinstance(detail, (list, tuple)):
        for index, value in enumerate(detail):
            is_nested = isinstance(value, (dict, list, tuple))
            yield from _flatten(value, _below(field, str(index)) if is_nested else field)
    else:
        yield {"field": field, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _below(field: str, key: str) -> str:
    if key == api_settings.NON_FIELD_ERRORS_KEY:
        return field
    return f"{field}.{key}" if field else key


def _throttled(exception: drf.Throttled) -> Refusal:
    return Refusal(
        "rate_limited", retry_after=max(1, math.ceil(getattr(exception, "wait", None) or 1))
    )


def _store_away(exception: BaseException) -> Refusal:
    if _left_during_commit(exception):
        return Refusal("outcome_unknown", "The answer was lost: ask again with the same client_id.")
    return Refusal("unavailable", "A store is not answering. Nothing was done; try again.")


def _left_during_commit(exception: BaseException) -> bool:
    # No public name has the frame of the COMMIT itself.
    commit = BaseDatabaseWrapper._commit.__code__  # type: ignore[attr-defined] # noqa: SLF001
    return commit in _codes(exception.__traceback__)


def _codes(traceback: TracebackType | None) -> Iterator[object]:
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def _always(code: str, detail: str = "") -> Callable[[BaseException], Refusal]:
    return lambda _exception: Refusal(code, detail)


_KNOWN: list[tuple[tuple[type[BaseException], ...], Callable[..., Refusal]]] = [
    ((drf.ValidationError,), _invalid),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), _always("not_authenticated")),
    ((drf.PermissionDenied, PermissionDenied), _always("forbidden")),
    ((drf.NotFound, Http404), _always("not_found")),
    ((drf.MethodNotAllowed,), _always("method_not_allowed")),
    ((drf.UnsupportedMediaType, drf.NotAcceptable), _always("unsupported_media_type")),
    ((drf.Throttled,), _throttled),
    ((RequestDataTooBig,), _always("too_large")),
    ((drf.ParseError, BadRequest, SuspiciousOperation), _always("invalid")),
    ((MultiPartParserError, UnreadablePostError), _always("invalid", "The body is not readable.")),
    ((OperationalError, InterfaceError), _store_away),
    ((psycopg2.OperationalError, psycopg2.InterfaceError), _store_away),
    (
        (
            redis.exceptions.ConnectionError,
            redis.exceptions.TimeoutError,
            redis.exceptions.OutOfMemoryError,
            redis.exceptions.ReadOnlyError,
        ),
        _store_away,
    ),
]
