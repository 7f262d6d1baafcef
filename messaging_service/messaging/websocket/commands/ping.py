"""The command of a client that wants to know whether it is still heard."""

from typing import Any

from messaging.websocket.connection import Connection
from messaging.websocket.frames import Frame
from service_kit.rendering import encode_json


async def ping(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:  # noqa: ARG001 - every command has this form.
    pos = connection.places.position_in(connection.room_id) if connection.room_id else None
    pong = {"type": "pong", "ref": ref, "pos": pos}
    told = {key: value for key, value in pong.items() if value is not None}
    connection.outlet.send(Frame(encode_json(told)))
