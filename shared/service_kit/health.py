"""Whether this process is up, and its stores answer."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache

import redis
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from service_kit.database import time_limit
from service_kit.leaving import is_leaving
from service_kit.redis_client import connect
from service_kit.rendering import encode_json

CHECK_SECONDS = 1.0
# Well within what is forgiven where the time in a token is looked at.
MOST_SECONDS_APART = 10.0

logger = logging.getLogger(__name__)


@require_safe
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer 200 as long as the process can answer; touches no store."""
    return _answer({"status": "ok"}, 200)


@require_safe
def serving(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer 200 as long as new requests are welcome, 503 while the process leaves.

    Touches no store: for whoever shares requests out. Where a store is away, every process would
    be taken out at once, and the clear refusals of a service turned into bare ones of the gateway.
    """
    return _answer({"status": "leaving"}, 503) if is_leaving() else _answer({"status": "ok"}, 200)


def ready(checks: Mapping[str, Callable[[], None]]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view that runs every check, each of which raises if its store is away.

    Answers 200 or 503 with `{"status", "checks": {name: "ok" or "unavailable"}}`; 503 without
    looking while the process leaves.
    """

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
        if is_leaving():
            return _answer({"status": "leaving", "checks": {}}, 503)
        results = {name: _run(name, check) for name, check in checks.items()}
        is_ready = all(result == "ok" for result in results.values())
        status = "ok" if is_ready else "unavailable"
        return _answer({"status": status, "checks": results}, 200 if is_ready else 503)

    return view


def _run(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the store is not usable
        logger.warning("%s is not ready: %s", name, type(error).__name__)
        return "unavailable"
    return "ok"


def _answer(body: dict[str, object], status: int) -> HttpResponse:
    return HttpResponse(encode_json(body), status=status, content_type="application/json")


def check_postgres() -> None:
    """Raise unless Postgres answers within a second."""
    _ask_postgres("SELECT 1")


def check_clock() -> None:
    """Raise if our clock and that of Postgres are more than ten seconds apart.

    Tokens are judged by ours: with a wrong one good tokens are refused, and ended ones are good.
    """
    apart = time.time() - _ask_postgres("SELECT extract(epoch FROM clock_timestamp())::float8")
    if abs(apart) > MOST_SECONDS_APART:
        raise WrongClockError


class WrongClockError(Exception):
    """Ours, or that of Postgres."""


def _ask_postgres(query: str) -> float:
    with time_limit(CHECK_SECONDS):
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return float(cursor.fetchone()[0])
        except Exception:
            # A connection that broke would fail the next check too, with Postgres back.
            connection.close()
            raise


def check_redis() -> None:
    """Raise unless Redis answers within a second."""
    _redis().ping()


@cache
def _redis() -> redis.Redis:
    return connect(timeout=CHECK_SECONDS)
