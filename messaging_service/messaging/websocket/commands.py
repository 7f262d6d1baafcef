"""What clients may send: one function for each command, and the table of them.

message    store a message; its ack comes when it is committed
typing     tell the others in the room
ping       answered with pong
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from rest_framework import serializers

from messaging.actions.messages import submit_message
from messaging.actions.typing import tell_typing
from messaging.serializers.messages import new_message
from messaging.websocket.frames import Frame, ack_frame
from messaging.websocket.threads import in_database_thread
from service_kit.rendering import encode_json

if TYPE_CHECKING:
    from messaging.websocket.connection import Connection

Command = Callable[["Connection", dict[str, Any], str | None], Awaitable[None]]


async def message(connection: "Connection", frame: dict[str, Any], ref: str | None) -> None:
    new = new_message(frame, room_id=connection.room_id)
    settle = await connection.expect_outcome(ref)
    submit_message(
        sender_id=connection.claims.user_id,
        room_id=connection.room_id,
        message=new,
        settle=settle,
    )


class TypingInput(serializers.Serializer[Any]):
    is_typing = serializers.BooleanField()


_typing_input: Final = TypingInput()


async def typing(connection: "Connection", frame: dict[str, Any], ref: str | None) -> None:
    is_typing = _typing_input.run_validation(frame)["is_typing"]
    await in_database_thread(
        tell_typing,
        user_id=connection.claims.user_id,
        username=connection.claims.username,
        room_id=connection.room_id,
        is_typing=is_typing,
    )
    if ref is not None:
        connection.outlet.send(ack_frame(ref))


async def ping(connection: "Connection", frame: dict[str, Any], ref: str | None) -> None:  # noqa: ARG001 - every command has this form.
    pong = {"type": "pong", "pos": connection.feed.pos}
    connection.outlet.send(Frame(encode_json(pong if ref is None else pong | {"ref": ref})))


COMMANDS: Final[dict[str, Command]] = {"message": message, "typing": typing, "ping": ping}
