"""The command that gives a socket a new token, and so a longer life."""

from datetime import UTC, datetime
from typing import Any, Final

from rest_framework import serializers

from messaging.websocket.connection import Connection, close_code
from messaging.websocket.ended import refuse_ended
from messaging.websocket.frames import ack_frame
from service_kit.refusals import Refusal
from service_kit.rendering import timestamp
from service_kit.tokens import verify

LONGEST_TOKEN: Final = 8_192


class AuthInput(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=LONGEST_TOKEN)


_auth_input: Final = AuthInput()


async def auth(connection: Connection, frame: dict[str, Any], ref: str | None) -> None:
    """Live to the new token's end; a token of somebody else, or of another session, closes."""
    claims = verify(_auth_input.run_validation(frame)["token"])
    await refuse_ended(claims)
    mine = connection.claims
    if (claims.user_id, claims.session_id) != (mine.user_id, mine.session_id):
        refusal = Refusal("not_authenticated", "This token is for another user or session.")
        connection.close(close_code(refusal), refusal.detail)
        return
    connection.live_as(claims)
    if ref is not None:
        expires_at = datetime.fromtimestamp(claims.expires_at, UTC)
        connection.outlet.send(ack_frame(ref, expires_at=timestamp(expires_at)))
