"""What a check says where something is not as it must be, and how it finds out."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from django.db import connection
from django.utils import timezone

from service_kit.fetching import WrongStatusError

PATIENCE_SECONDS = 3.0
# By far more than anything takes that is done beside the requests, with its stores there.
LONGEST_WAIT_MINUTES = 15.0


class TroubleError(Exception):
    """Something is not as it must be; says what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def ask_postgres(sql: str) -> tuple[Any, ...]:
    """Return the first row; TroubleError where there is no Postgres."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row: tuple[Any, ...] = cursor.fetchone()
    except Exception as error:
        connection.close()
        raise TroubleError(
            f"Postgres does not answer: {type(error).__name__}.",
            "Start it, and see to DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD.",
        ) from error
    return row


def status_of(setting: str, ask: Callable[[], object]) -> int:
    """Return what the other service answers; TroubleError where it is not to be reached."""
    try:
        ask()
    except WrongStatusError as error:
        return error.status
    except (OSError, HTTPException, ValueError) as error:
        raise TroubleError(
            f"Nothing that can be understood answers at {setting}: {type(error).__name__}.",
            f"Start the other service, and see to {setting}.",
        ) from error
    return HTTPStatus.OK


def stranger(setting: str, status: int) -> TroubleError:
    """What is wrong where somebody answers who is not the other service, or knows no such name."""
    return TroubleError(
        f"Who answers at {setting} says {status}.",
        "Let it lead to the other service itself, past the gateway, by a name in its"
        " ALLOWED_HOSTS, and look at that service's log.",
    )


def assert_under_way(what: str, number: int, oldest: datetime | None, *, remedy: str) -> str:
    """Say what waits to be done; TroubleError where the oldest of it should be by now."""
    if oldest is None:
        return f"no {what} wait"
    minutes = (timezone.now() - oldest).total_seconds() / 60
    told = f"{number} {what} wait, the oldest for {minutes:.0f} min"
    if minutes > LONGEST_WAIT_MINUTES:
        raise TroubleError(f"{told}.", remedy)
    return told
