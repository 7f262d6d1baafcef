"""The command of a client that missed something, or may have."""

from typing import Any

from messaging.serializers.changes import sync_input
from messaging.websocket.connection import Connection
from service_kit.refusals import Refusal


async def sync(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    asked = sync_input.run_validation(frame)
    positions = _positions(connection, asked)
    try:
        epoch = asked.get("epoch")
        await connection.places.catch_up(positions, ref=ref, epoch=epoch)
        if "user_pos" in asked:
            await connection.places.catch_up_personally(asked["user_pos"], ref=ref, epoch=epoch)
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
