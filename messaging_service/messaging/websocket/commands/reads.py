"""The command of somebody who has read a room's messages."""

from typing import Any

from messaging.actions.reads import mark_read
from messaging.serializers.reads import seq_read
from messaging.websocket.connection import Connection
from messaging.websocket.frames import ack_frame
from messaging.websocket.threads import change_in_database_thread


async def read(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    room_id = connection.room_of(frame)
    seq = await change_in_database_thread(
        mark_read, user_id=connection.claims.user_id, room_id=room_id, seq=seq_read(frame)
    )
    if ref is not None:
        connection.outlet.send(ack_frame(ref, room=room_id, seq=seq))
