"""Rooms into which much was sent, and nobody was told."""

from typing import Final

from django.db import connection

_FILL: Final = """
WITH sent AS (
    INSERT INTO messages (room_id, seq, created_pos, pos, sender_id, client_id, request_hash,
                          message_type, content, timestamp)
    SELECT id, seq + n, pos + n, pos + n, %(sender_id)s, gen_random_uuid()::text, '',
           'text', %(content)s, clock_timestamp()
    FROM rooms, generate_series(1, %(number)s) AS n
    WHERE id = %(room_id)s
)
UPDATE rooms SET seq = seq + %(number)s, pos = pos + %(number)s WHERE id = %(room_id)s
"""


def fill(room_id: int, sender_id: str, number: int = 1, *, content: str = "x") -> None:
    """Put messages into a room as sends would have."""
    asked = {"room_id": room_id, "sender_id": sender_id, "number": number, "content": content}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, asked)
