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

# `seq` has no holes, so a page is a range of it. Membership, counters and rows are one snapshot.
_HISTORY: Final = f"""
SELECT room.pos, room.seq, me.visible_from_seq, (SELECT value FROM epoch), {MESSAGE_COLUMNS}
FROM members me
JOIN rooms room ON room.id = me.room_id
LEFT JOIN (messages m JOIN profiles p ON p.user_id = m.sender_id)
    ON m.room_id = room.id AND m.pos >= me.joined_pos
    AND m.seq BETWEEN greatest(coalesce(%(first)s, room.seq - %(limit)s + 1), me.visible_from_seq)
                  AND coalesce(%(last)s, room.seq)
WHERE me.room_id = %(room_id)s AND me.user_id = %(user_id)s AND me.left_pos IS NULL
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
    """A stretch of history, oldest first; `before` and `after` are the `seq` to go on from."""

    results: list[dict[str, Any]]
    before: int | None
    after: int | None
    pos: int
    epoch: str


class Range(NamedTuple):
    """Which `seq` a page covers, both inclusive; None stands for the newest ones."""

    first: int | None
    last: int | None


def history(*, user_id: str, room_id: int, wanted: Range, limit: int) -> Page:
    """At most `limit` messages that this member may see; raises NotFound for anybody else."""
    arguments: dict[str, str | int | None] = {
        "user_id": user_id,
        "room_id": room_id,
        "limit": limit,
        "first": wanted.first,
        "last": wanted.last,
    }
    with connection.cursor() as cursor:
        rows = cursor.execute(_HISTORY, arguments) or cursor.fetchall() if _is_id(room_id) else []
    if not rows:
        raise NotFound("room")
    pos, newest, visible_from, epoch = rows[0][:4]
    messages = [MessageRow(*row[4:]) for row in rows if row[4] is not None]
    first, last = _ends(messages, wanted, newest)
    return Page(
        results=[message_json(row) for row in messages],
        before=first if visible_from < first <= newest + 1 else None,
        after=last if 0 <= last < newest else None,
        pos=pos,
        epoch=str(epoch),
    )


def _ends(messages: list[MessageRow], wanted: Range, newest: int) -> tuple[int, int]:
    """The first and last `seq` of the page, or where an empty page lies."""
    if messages:
        return messages[0].seq, messages[-1].seq
    if wanted.last is not None and wanted.last <= newest:
        return 0, wanted.last
    return newest + 1, newest


def _is_id(number: int) -> bool:
    return 0 < number <= LARGEST_ID


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
    more = len(rows) == limit
    pos = events[-1].pos if more and events else rows[0][0] if rows else after
    return Changes(events=events, pos=pos, more=more)
