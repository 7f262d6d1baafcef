"""One JSON object per line on stderr, and the request id that ties the lines together."""

import json
import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from random import getrandbits
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty

from service_kit.addresses import address_of, caller_address

request_id: ContextVar[str] = ContextVar("request_id", default="")

access = logging.getLogger("service_kit.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_UNSAID = frozenset(
    {"authorization", "body", "content", "cookie", "password", "query", "secret", "token"}
)
# Queries, bearer credentials and anything shaped like a JWT, wherever a library may put them.
_SECRETS = re.compile(r"\?\S+|(?i:bearer[ .])\S+|eyJ[\w-]+\.[\w.-]+")


class JsonLines(logging.Formatter):
    """Write a record as one line of ASCII JSON.

    Its members are time, level, logger, service, request_id and message, then those of `extra=`
    that are plain values with harmless names. Queries and tokens are cut out of every text, so
    that no library's line can leak one.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="microseconds")[:26] + "Z",
            "level": record.levelname,
            "logger": record.name,
            "service": self._service,
            "request_id": _request_id_of(record),
            "message": _clean(record.getMessage()),
        }
        line |= _extra(record)
        if record.exc_info:
            line["exception"] = _clean(self.formatException(record.exc_info))
        return json.dumps(line)


def _request_id_of(record: logging.LogRecord) -> str:
    # Django logs 4xx and 5xx after the middleware is done, but hands over the request.
    return request_id.get() or getattr(getattr(record, "request", None), "request_id", "")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: _clean(value) if isinstance(value, str) else value
        for name, value in record.__dict__.items()
        if name not in _OWN
        and name.lower() not in _UNSAID
        and isinstance(value, (str, int, float, bool, type(None)))
    }


def _clean(text: str) -> str:
    return _SECRETS.sub("[removed]", text)


def logging_settings(service: str, level: str = "INFO") -> dict[str, Any]:
    """Return Django's LOGGING: everything goes through JsonLines to stderr.

    Servers and HTTP clients speak from WARNING up, because their INFO lines hold URLs with their
    queries; the SQL log is off, because it holds people's words.
    """
    through_root = {"handlers": [], "propagate": True}
    quiet = ["asyncio", "daphne", "django.db.backends", "django.server", "gunicorn.error"]
    quiet += ["httpcore", "httpx", "redis", "uvicorn", "uvicorn.access", "uvicorn.error"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service_kit.logs.JsonLines", "service": service}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {**through_root, "level": level},
            # The access line tells every 4xx already.
            "django.request": {**through_root, "level": "ERROR"},
            # Whatever else is left out.
            "service_kit.security": {**through_root, "level": "INFO"},
            **{name: {**through_root, "level": "WARNING"} for name in quiet},
        },
    }


class RequestIdMiddleware:
    """Give each request an id, say it in every response and log line, and log one access line.

    A client's X-Request-ID is kept if it is 1-64 of `[A-Za-z0-9-]`, else replaced.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        chosen = choose_request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.request_id = chosen  # type: ignore[attr-defined]
        before, address = request_id.set(chosen), caller_address.set(address_of(request.META))
        try:
            response = self._get_response(request)
            response["X-Request-ID"] = chosen
            _log_access(request, response, time.perf_counter() - began)
        finally:
            request_id.reset(before)
            caller_address.reset(address)
        return response


def choose_request_id(given: str) -> str:
    """Keep what a client gave, if it can stand in a log; else make one."""
    # A name and no secret: unlike uuid4 it asks the kernel for nothing.
    return given if _REQUEST_ID.fullmatch(given) else f"{getrandbits(128):032x}"


def _log_access(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    is_probe = request.path.startswith("/health/") and response.status_code < HTTPStatus.BAD_REQUEST
    access.log(
        logging.DEBUG if is_probe else logging.INFO,
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 2),
            "user_id": _user_id(request),
        },
    )


def caller_in(request: HttpRequest) -> object:
    """Return who is known to be calling, or None; nobody is asked."""
    user = getattr(request, "user", None)
    # Django's own request.user is a query waiting to happen.
    is_unknown = isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty
    return None if is_unknown else user


def _user_id(request: HttpRequest) -> str | None:
    identity = getattr(caller_in(request), "id", None)
    return None if identity is None else str(identity)
