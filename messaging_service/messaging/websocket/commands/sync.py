"""The command of a client that missed something, or may have."""

from typing import Any

from messaging.serializers.changes import sync_input
from messaging.websocket.catching_up import CatchingUp
from messaging.websocket.connection import Connection
from service_kit.refusals import Refusal


async def sync(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    asked = sync_input.run_validation(frame)
    positions = _positions(connection, asked)
    catching_up = CatchingUp(connection.places, ref=ref, epoch=asked.get("epoch"))
    try:
        await catching_up.in_rooms(positions)
        if "user_pos" in asked:
            await catching_up.personally(asked["user_pos"])
    except Exception as error:  # noqa: BLE001 - some rooms are behind now, and must not stay so.
        connection.fail(error)


def _positions(connection: Connection, asked: dict[str, Any]) -> dict[int, int]:
    if connection.room_id is not None:
        if "after" not in asked or asked.keys() & {"rooms", "user_pos"}:
            raise Refusal("invalid", "On a room's socket sync takes the position: after.")
        return {connection.room_id: asked["after"]}
    if "after" in asked or not asked.keys() & {"rooms", "user_pos"}:
        raise Refusal("invalid", "Name each room with its position: rooms.")
    positions: dict[int, int] = asked.get("rooms", {})
    return positions
