"""What clients may send: one function for each command, and the table of them.

messages.py    message: store one; its ack comes when it is committed
               message.edit, message.delete: change one's own
reads.py       read: move one's marker
typing.py      typing: tell the others in the room
presence.py    presence: say how one is
sync.py        sync: tell what was missed since a position
auth.py        auth: live to the end of a newer token
ping.py        ping: answered with pong
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.conf import settings

from messaging.errors import RateLimited
from messaging.websocket.commands.auth import auth
from messaging.websocket.commands.messages import delete, edit, message
from messaging.websocket.commands.ping import ping
from messaging.websocket.commands.presence import presence
from messaging.websocket.commands.reads import read
from messaging.websocket.commands.sync import sync
from messaging.websocket.commands.typing import typing
from messaging.websocket.connection import Connection
from messaging.websocket.standstill import standstill
from service_kit.decoding import decode_object
from service_kit.refusals import Refusal, as_refusal

logger: Final = logging.getLogger(__name__)

LONGEST_REF: Final = 64

Command = Callable[[Connection, dict[str, Any], str | None], Awaitable[None]]


COMMANDS: Final[dict[str, Command]] = {
    "message": message,
    "message.edit": edit,
    "message.delete": delete,
    "read": read,
    "typing": typing,
    "presence": presence,
    "sync": sync,
    "auth": auth,
    "ping": ping,
}


# What a socket understands that is in no room.
EVERYWHERE: Final = frozenset({"presence", "auth", "ping"})


async def carry_out(connection: Connection, text: str | None) -> None:
    """Carry out one frame; whatever is wrong with it is answered and changes nothing."""
    standstill.check()
    if connection.is_closing:
        return
    frame: dict[str, Any] = {}
    ref: str | None = None
    try:
        try:
            frame = _decode(text)
            ref = _ref(frame)
        finally:
            # What cannot be understood counts too.
            if frame.get("type") != "sync":
                connection.patience.spend()
        if connection.room_id is not None:
            connection.room_of(frame)
        command = _command(frame, in_rooms=connection.in_rooms)
        await command(connection, frame, ref)
        if command is not message:  # Its outcome is still to come.
            connection.patience.carried_out()
    except Exception as error:  # noqa: BLE001 - one bad frame must not end the socket.
        connection.refuse(_explain(_charged(connection, frame, error)), ref)


def _charged(connection: Connection, frame: dict[str, Any], error: Exception) -> Exception:
    """A `sync` costs nothing unless it is refused."""
    if frame.get("type") == "sync":
        try:
            connection.patience.spend()
        except RateLimited as too_fast:
            return too_fast
    return error


def _decode(text: str | None) -> dict[str, Any]:
    if text is None:
        raise Refusal("invalid", "Frames are JSON text, not binary.")
    limits = settings.LIMITS
    return decode_object(text, most=limits["JSON_BYTES"], deepest=limits["JSON_DEPTH"])


def _ref(frame: dict[str, Any]) -> str | None:
    ref = frame.get("ref")
    if ref is not None and not (isinstance(ref, str) and len(ref) <= LONGEST_REF):
        raise Refusal("invalid", f"ref is a string of at most {LONGEST_REF} characters.")
    return ref


def _command(frame: dict[str, Any], *, in_rooms: bool) -> Command:
    kind = frame.get("type")
    command = COMMANDS.get(kind) if isinstance(kind, str) else None
    if command is None or not (in_rooms or kind in EVERYWHERE):
        raise Refusal("unknown_command", "There is no such command.")
    return command


def _explain(error: Exception) -> Refusal:
    refusal = as_refusal(error)
    if refusal is None:
        logger.error("A command failed.", exc_info=error)
        return Refusal("outcome_unknown", "Something went wrong here.")
    return refusal
