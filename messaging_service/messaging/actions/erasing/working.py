"""What is to be taken away is claimed, done and put off, by whichever process is first."""

from datetime import datetime
from typing import Final

from django.db import connection
from prometheus_client import Counter

from messaging.actions.erasing.parts import take_away
from messaging.actions.profiles import tell_names

# Whoever claims it and dies is followed by another; doing it twice at once does no harm.
CLAIMED_SECONDS: Final = 30
# What was under way when the names went is over by then, and is looked for once more.
SETTLED_SECONDS: Final = 60
SWEEPS: Final = 2

_CLAIM: Final = """
UPDATE erasures SET due_at = clock_timestamp() + %s * interval '1 s'
WHERE user_id = (
    SELECT user_id FROM erasures WHERE done_at IS NULL AND due_at <= clock_timestamp()
    ORDER BY due_at, user_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING user_id
"""
_OPEN: Final = "SELECT count(*), min(at) FROM erasures WHERE done_at IS NULL"
_AGAIN: Final = "UPDATE erasures SET due_at = clock_timestamp() WHERE user_id = %s"
_SWEPT: Final = """
UPDATE erasures SET
    sweeps = sweeps + 1,
    due_at = clock_timestamp() + %s * interval '1 s',
    done_at = CASE WHEN sweeps + 1 >= %s THEN clock_timestamp() END
WHERE user_id = %s AND done_at IS NULL
"""

_erased: Final = Counter("parley_erasure_sweeps_total", "Times nothing more was found of somebody.")


def go_on() -> bool:
    """Take away a bounded part of what is due, and say whether anything was.

    Raises what a store raises that is away; then it is due again after a while.
    """
    if (user_id := _claim()) is None:
        return False
    if take_away(user_id):
        _write(_AGAIN, user_id)
        return True
    # Whoever was not there when the names went is told at the end of each sweep.
    tell_names(user_id)
    _write(_SWEPT, SETTLED_SECONDS, SWEEPS, user_id)
    _erased.inc()
    return True


def open_erasures() -> tuple[int, datetime | None]:
    """Return of how many people something may be left, and since when of one of them."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        number, oldest = cursor.fetchone()
    return number, oldest


def _claim() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [CLAIMED_SECONDS])
        row = cursor.fetchone()
    return row[0] if row else None


def _write(statement: str, *arguments: int | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
