"""Commands about messages."""

from typing import Any, Final

from rest_framework import serializers

from messaging.actions.messages import delete_message, edit_message, submit_message
from messaging.serializers.fields import IdField
from messaging.serializers.messages import edited_content, new_message
from messaging.websocket.connection import Connection
from messaging.websocket.frames import message_ack_frame
from messaging.websocket.threads import change_in_database_thread


async def message(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    room_id = connection.room_of(frame)
    new = new_message(frame, room_id=room_id)
    settle = await connection.expect_outcome(ref, room_id)
    submit_message(
        sender_id=connection.claims.user_id,
        room_id=room_id,
        message=new,
        settle=settle,
    )


class MessageIdInput(serializers.Serializer[Any]):
    id = IdField()


_message_id_input: Final = MessageIdInput()


async def edit(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    text = await change_in_database_thread(
        edit_message,
        user_id=connection.claims.user_id,
        room_id=connection.room_id,
        message_id=_message_id(frame),
        content=edited_content(frame),
    )
    _answer(connection, ref, text)


async def delete(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    text = await change_in_database_thread(
        delete_message,
        user_id=connection.claims.user_id,
        room_id=connection.room_id,
        message_id=_message_id(frame),
    )
    _answer(connection, ref, text)


def _message_id(frame: dict[str, Any]) -> int:
    message_id: int = _message_id_input.run_validation(frame)["id"]
    return message_id


def _answer(connection: Connection, ref: str | None, text: bytes) -> None:
    if ref is not None:
        connection.outlet.send(message_ack_frame(ref, text))
