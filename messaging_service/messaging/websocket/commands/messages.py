"""Commands about messages."""

from typing import Any

from messaging.actions.messages import submit_message
from messaging.serializers.messages import new_message
from messaging.websocket.connection import Connection


async def message(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    new = new_message(frame, room_id=connection.room_id)
    settle = await connection.expect_outcome(ref)
    submit_message(
        sender_id=connection.claims.user_id,
        room_id=connection.room_id,
        message=new,
        settle=settle,
    )
