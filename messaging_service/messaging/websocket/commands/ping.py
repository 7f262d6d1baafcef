"""The command of a client that wants to know whether it is still heard."""

from typing import Any

from messaging.websocket.connection import Connection
from messaging.websocket.frames import Frame
from service_kit.rendering import encode_json


async def ping(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:  # noqa: ARG001 - every command has this form.
    pong = {"type": "pong", "pos": connection.feed.pos}
    connection.outlet.send(Frame(encode_json(pong if ref is None else pong | {"ref": ref})))
