"""Which sessions have ended before their tokens."""

from datetime import datetime
from typing import Final, NamedTuple

from messaging.queries.statements import read_rows

# One row at least: how far the feed is, also where nothing is new.
_SINCE: Final = """
SELECT feed.number, ended.session_id, ended.user_id, ended.until
FROM auth_feed feed LEFT JOIN ended_sessions ended ON ended.number > %s
"""
_FEED: Final = "SELECT cursor, mark FROM auth_feed"


class Ended(NamedTuple):
    session_id: str
    user_id: str
    until: datetime


class News(NamedTuple):
    """How far the feed is, and what came with a higher number than was asked for."""

    number: int
    sessions: list[Ended]


def ended_since(number: int) -> News:
    rows = read_rows(_SINCE, [number])
    ended = [Ended(*row[1:]) for row in rows if row[1] is not None]
    return News(rows[0][0], ended)


def heard_so_far() -> tuple[int, str]:
    """The number and the mark of the last event of auth_service that was applied."""
    ((cursor, mark),) = read_rows(_FEED, [])
    return cursor, mark
