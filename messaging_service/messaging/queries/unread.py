"""How many messages are unread for somebody."""

from collections.abc import Sequence
from typing import Final

from messaging.queries.statements import read_rows

# Values are written into the statement, so where no rooms are given Postgres plans without them.
_COUNTS: Final = """
SELECT me.room_id, unread.count
FROM members me
JOIN rooms room ON room.id = me.room_id AND room.seq > me.last_read_seq
CROSS JOIN LATERAL (
    SELECT count(*) FROM messages m
    WHERE m.room_id = me.room_id AND m.seq > me.last_read_seq AND m.seq >= me.visible_from_seq
        AND m.sender_id <> me.user_id AND m.deleted_at IS NULL
) AS unread(count)
WHERE me.user_id = %(user_id)s AND me.left_pos IS NULL AND unread.count > 0
    AND (%(room_ids)s::bigint[] IS NULL OR me.room_id = ANY(%(room_ids)s))
ORDER BY room.last_activity DESC, room.id DESC
"""


def unread_counts(*, user_id: str, room_ids: Sequence[int] | None = None) -> dict[int, int]:
    """By room the messages of others this person has not read; rooms without any are left out.

    Of all his rooms, or of the given; the one with the newest message comes first.
    """
    asked = {"user_id": user_id, "room_ids": None if room_ids is None else list(room_ids)}
    return dict(read_rows(_COUNTS, asked))
