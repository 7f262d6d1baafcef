"""How far people have read, and what is unread for them."""

from typing import Final

from django.db import connection

_UNREAD_COUNTS: Final = """
SELECT me.room_id, unread.count
FROM members me
JOIN rooms room ON room.id = me.room_id AND room.seq > me.last_read_seq
CROSS JOIN LATERAL (
    SELECT count(*) FROM messages m
    WHERE m.room_id = me.room_id AND m.seq > me.last_read_seq AND m.seq >= me.visible_from_seq
        AND m.sender_id <> me.user_id AND m.deleted_at IS NULL
) AS unread(count)
WHERE me.user_id = %s AND me.left_pos IS NULL AND unread.count > 0
"""


def unread_counts(*, user_id: str) -> dict[int, int]:
    """By room the messages of others this person has not read; rooms without any are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD_COUNTS, [user_id])
        return dict(cursor.fetchall())
