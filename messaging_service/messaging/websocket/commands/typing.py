"""The command of somebody who is writing."""

from typing import Any, Final

from rest_framework import serializers

from messaging.actions.typing import tell_typing
from messaging.permissions.limits import TypingLimit
from messaging.websocket.connection import Connection
from messaging.websocket.frames import ack_frame
from messaging.websocket.threads import in_database_thread


class TypingInput(serializers.Serializer[Any]):
    is_typing = serializers.BooleanField()


_typing_input: Final = TypingInput()
_limit: Final = TypingLimit()


async def typing(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    """Tell the others, unless they have just heard it."""
    is_typing: bool = _typing_input.run_validation(frame)["is_typing"]
    room_id = connection.room_of(frame)
    who = connection.claims.user_id, room_id
    if not _limit.is_too_much(who, is_typing=is_typing):
        await in_database_thread(
            tell_typing,
            user_id=connection.claims.user_id,
            username=connection.claims.username,
            room_id=room_id,
            is_typing=is_typing,
        )
        _limit.told(who, is_typing=is_typing)
    if ref is not None:
        connection.outlet.send(ack_frame(ref))
