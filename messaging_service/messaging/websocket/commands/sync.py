"""The command of a client that missed something, or may have."""

from typing import Any, Final

from rest_framework import serializers

from messaging.permissions import LARGEST_ID
from messaging.serializers.fields import as_id
from messaging.websocket.connection import Connection
from service_kit.refusals import Refusal

MOST_ROOMS: Final = 1_000


class SyncInput(serializers.Serializer[Any]):
    """`after` on a room's socket; `rooms` (id: position) and `user_pos` on the others."""

    after = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)
    rooms = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=LARGEST_ID), required=False
    )
    user_pos = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)
    epoch = serializers.CharField(required=False, max_length=64)


_sync_input: Final = SyncInput()


async def sync(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    asked = _sync_input.run_validation(frame)
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
    rooms: dict[str, int] = asked.get("rooms", {})
    if len(rooms) > MOST_ROOMS:
        raise Refusal("invalid", f"At most {MOST_ROOMS} rooms at once.")
    positions = {as_id(name) or 0: pos for name, pos in rooms.items()}
    if not all(0 < room_id <= LARGEST_ID for room_id in positions):
        raise Refusal("invalid", "Name each room by its number.")
    return positions
