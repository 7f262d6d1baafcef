"""Messages of one room: pages of its history, and what changed since a position."""

from typing import Any, Final, NamedTuple

from django.db import connection

from messaging.errors import NotFound
from messaging.events import Event, message_sent
from messaging.permissions import LARGEST_ID
from messaging.serializers.messages import (
    MESSAGE_COLUMNS,
    MessageRow,
    message_json,
    message_text,
)

_SEEN_BY: Final = """
SELECT room.pos, room.seq, me.visible_from_seq, me.joined_pos, (SELECT value::text FROM epoch)
FROM members me JOIN rooms room ON room.id = me.room_id
WHERE me.room_id = %s AND me.user_id = %s AND me.left_pos IS NULL
"""

_RANGE: Final = f"""
SELECT {MESSAGE_COLUMNS}
FROM messages m JOIN profiles p ON p.user_id = m.sender_id
WHERE m.room_id = %s AND m.seq BETWEEN %s AND %s AND m.pos >= %s
ORDER BY m.seq
"""

_CHANGES: Final = f"""
SELECT room.pos, {MESSAGE_COLUMNS}
FROM rooms room
LEFT JOIN (messages m JOIN profiles p ON p.user_id = m.sender_id)
    ON m.room_id = room.id AND m.pos > %(after)s AND m.pos <= room.pos
WHERE room.id = %(room_id)s
ORDER BY m.pos
LIMIT %(limit)s
"""


class Page(NamedTuple):
    """A stretch of history, oldest first; `before` and `after` say where to go on, if at all."""

    results: list[dict[str, Any]]
    before: int | None
    after: int | None
    pos: int
    epoch: str


def history(
    *,
    user_id: str,
    room_id: int,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page:
    """At most `limit` messages that this member may see: the newest, or those around a `seq`.

    Give one of before, after (both exclusive) and around. Raises NotFound for a stranger. A message
    may be newer than the page's `pos`, never older: following the room from there misses nothing.
    """
    if room_id > LARGEST_ID:
        raise NotFound("room")
    with connection.cursor() as cursor:
        cursor.execute(_SEEN_BY, [room_id, user_id])
        found = cursor.fetchone()
        if found is None:
            raise NotFound("room")
        pos, newest, oldest, joined_pos, epoch = found
        start = _first_of_page(newest, oldest, limit, before, after, around)
        first, last = max(start, oldest), min(start + limit - 1, newest)
        cursor.execute(_RANGE, [room_id, first, last, joined_pos])
        rows = cursor.fetchall()
    return Page(
        results=[message_json(MessageRow(*row)) for row in rows],
        before=first if first > oldest else None,
        after=max(last, 0) if last < newest else None,
        pos=pos,
        epoch=epoch,
    )


def _first_of_page(
    newest: int, oldest: int, limit: int, before: int | None, after: int | None, around: int | None
) -> int:
    """Where a page begins. `seq` has no holes, so a page is a range: nothing is counted."""
    if after is not None:
        return max(after + 1, oldest)
    if around is not None:
        return min(max(around - limit // 2, oldest), newest - limit + 1)
    return (newest if before is None else min(before - 1, newest)) - limit + 1


class Changes(NamedTuple):
    """Durable events of a room in `pos` order, and the position they lead to."""

    events: list[Event]
    pos: int
    more: bool


def changes_since(*, room_id: int, after: int, limit: int) -> Changes:
    """What the room's rows say now of everything after a position, at most `limit` events.

    One statement, so one snapshot: `pos` and the rows belong together.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"room_id": room_id, "after": after, "limit": limit})
        rows = cursor.fetchall()
    messages = [MessageRow(*row[1:]) for row in rows if row[1] is not None]
    events = [message_sent(row, message_text(row)) for row in messages]
    more = len(events) == limit
    pos = events[-1].pos if more else rows[0][0] if rows else after
    return Changes(events=events, pos=pos, more=more)
