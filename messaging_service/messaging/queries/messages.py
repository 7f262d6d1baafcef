"""Messages of one room: pages of its history."""

from typing import Any, Final, NamedTuple

from messaging.errors import NotFound
from messaging.permissions import LARGEST_ID
from messaging.queries.statements import read_rows
from messaging.serializers.messages import (
    MESSAGE_COLUMNS,
    MessageRow,
    message_json,
)

# `seq` has no holes, so a page is a range of it: nothing is counted, sorted or skipped.
_HISTORY: Final = f"""
SELECT page.pos, page.newest, page.oldest, page.start, page.epoch, {MESSAGE_COLUMNS}
FROM (
    SELECT room.id, room.pos, room.seq AS newest, me.visible_from_seq AS oldest, me.joined_pos,
           (SELECT value::text FROM epoch) AS epoch, {{start}} AS start
    FROM members me JOIN rooms room ON room.id = me.room_id
    WHERE me.room_id = %(room_id)s AND me.user_id = %(user_id)s AND me.left_pos IS NULL
) AS page
LEFT JOIN (messages m JOIN profiles p ON p.user_id = m.sender_id)
    ON m.room_id = page.id AND m.pos >= page.joined_pos AND m.seq >= page.oldest
    AND m.seq BETWEEN page.start AND page.start + %(limit)s - 1
ORDER BY m.seq
"""

# Where a page begins, by the parameter it is asked for with.
_STARTS: Final = {
    "": "room.seq - %(limit)s + 1",
    "before": "least(%(seq)s - 1, room.seq) - %(limit)s + 1",
    "after": "greatest(%(seq)s + 1, me.visible_from_seq)",
    "around": "least(greatest(%(seq)s - %(limit)s / 2, me.visible_from_seq),"
    " room.seq - %(limit)s + 1)",
}
_STATEMENTS: Final = {name: _HISTORY.format(start=start) for name, start in _STARTS.items()}


class Page(NamedTuple):
    """A stretch of history, oldest first; `before` and `after` say where to go on, if at all."""

    results: list[dict[str, Any]]
    before: int | None
    after: int | None
    pos: int
    epoch: str


def history(*, user_id: str, room_id: int, limit: int, **wanted: int) -> Page:
    """At most `limit` messages that this member may see: the newest, or those around a `seq`.

    `wanted` is one of before, after (both exclusive) and around, or nothing. Membership, position
    and messages are of one snapshot. Raises NotFound for a stranger.
    """
    if room_id > LARGEST_ID:
        raise NotFound("room")
    name, seq = next(iter(wanted.items()), ("", 0))
    arguments: dict[str, str | int] = {
        "user_id": user_id,
        "room_id": room_id,
        "limit": limit,
        "seq": seq,
    }
    rows = read_rows(_STATEMENTS[name], arguments)
    if not rows:
        raise NotFound("room")
    pos, newest, oldest, start, epoch = rows[0][:5]
    first, last = max(start, oldest), min(start + limit - 1, newest)
    return Page(
        results=[message_json(MessageRow(*row[5:])) for row in rows if row[5] is not None],
        before=first if first > oldest else None,
        after=max(last, 0) if last < newest else None,
        pos=pos,
        epoch=epoch,
    )
