"""The command of somebody who says how he is."""

from typing import Any

from messaging.actions.presence.chosen import set_presence
from messaging.serializers.presence import presence_input
from messaging.websocket.connection import Connection
from messaging.websocket.frames import ack_frame
from messaging.websocket.threads import change_in_database_thread


async def presence(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    await change_in_database_thread(
        set_presence,
        user_id=connection.claims.user_id,
        is_here=True,
        **presence_input.run_validation(frame),
    )
    if ref is not None:
        connection.outlet.send(ack_frame(ref))
