"""The life of a socket: accept, authorise, be ready, carry out commands, leave."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from messaging.actions.profiles import remember_caller
from messaging.errors import NotFound
from messaging.permissions import LARGEST_ID, member_of
from messaging.queries.profiles import personal_position_of
from messaging.queries.rooms import current_epoch
from messaging.websocket.authentication import PROTOCOL, Receive, Send, protocol_of
from messaging.websocket.commands import carry_out
from messaging.websocket.connection import Connection
from messaging.websocket.frames import Frame
from messaging.websocket.hub import hub
from messaging.websocket.outlets import Outlet, outlet_for
from messaging.websocket.threads import in_database_thread
from service_kit.refusals import Refusal, as_refusal
from service_kit.rendering import encode_json, timestamp
from service_kit.tokens import LEEWAY_SECONDS, Claims

logger: Final = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 25

# The loop itself keeps only weak references to tasks.
_closing: Final[set[asyncio.Task[None]]] = set()
FAILED: Final = 1011

# What closes a socket, by the code of the refusal (contract §5).
CLOSE_CODES: Final = {
    "invalid": 4400,
    "not_authenticated": 4401,
    "token_expired": 4401,
    "not_found": 4403,
    "unavailable": 1013,
}


class Entry(NamedTuple):
    """What somebody may know of a room the moment he enters it."""

    seq: int
    last_read_seq: int
    user_pos: int
    epoch: str


def enter_room(*, claims: Claims, room_id: int) -> Entry:
    """Read, in a database thread, what `ready` tells; raises NotFound for a stranger."""
    remember_caller(claims=claims)
    member = member_of(user_id=claims.user_id, room_id=room_id)
    return Entry(
        seq=member.room.seq,
        last_read_seq=member.last_read_seq,
        user_pos=personal_position_of(claims.user_id),
        epoch=current_epoch(),
    )


async def room_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """`/ws/chat/<room_id>/`: one room, everything its members may see and do."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": protocol_of(scope)})
    if refusal := scope.get("refusal"):
        await _close(send, refusal)
        return
    try:
        await _serve(scope["claims"], _room_id_of(scope), receive, send)
    except Exception as error:  # noqa: BLE001 - it is answered and logged there.
        await _close(send, as_refusal(error), error)


def _room_id_of(scope: dict[str, Any]) -> int:
    """The id in the path; what cannot be one must not get as far as the hub's audit."""
    room_id = int(scope["url_route"]["kwargs"]["room_id"])
    if room_id > LARGEST_ID:
        raise NotFound("room")
    return room_id


async def unknown_path(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Any other path: told by a close code, because browser code cannot read a status."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": protocol_of(scope)})
    await _close(send, Refusal("invalid", "There is nothing at this path."))


async def _close(send: Send, refusal: Refusal | None, error: Exception | None = None) -> None:
    if refusal is None:
        logger.error("A socket failed.", exc_info=error)
    code = CLOSE_CODES.get(refusal.code, FAILED) if refusal else FAILED
    reason = refusal.detail if refusal else ""
    await send({"type": "websocket.close", "code": code, "reason": reason})


async def _serve(claims: Claims, room_id: int, receive: Receive, send: Send) -> None:
    feed = await hub().open(room_id)
    outlet = outlet_for(send)
    try:
        entry = await in_database_thread(enter_room, claims=claims, room_id=room_id)
        # From here to the first await nothing can come between `ready` and the first event.
        outlet.send(_ready(claims, room_id, feed.pos, entry))
        feed.outlets[outlet] = claims.user_id
        connection = Connection(claims=claims, room_id=room_id, feed=feed, outlet=outlet)
        expiry = _close_at_expiry(claims, outlet)
        try:
            await _receive_until_closed(connection, receive)
        finally:
            expiry.cancel()
    finally:
        feed.outlets.pop(outlet, None)
        hub().release(feed)


async def _receive_until_closed(connection: Connection, receive: Receive) -> None:
    while (event := await receive())["type"] == "websocket.receive":
        await carry_out(connection, event.get("text"))


def _close_at_expiry(claims: Claims, outlet: Outlet) -> asyncio.TimerHandle:
    def close() -> None:
        closing = outlet.close(CLOSE_CODES["token_expired"], "The token has expired.")
        _closing.add(task := asyncio.create_task(closing))
        task.add_done_callback(_closing.discard)

    left = claims.expires_at + LEEWAY_SECONDS - time.time()
    return asyncio.get_running_loop().call_later(max(0.0, left), close)


def _ready(claims: Claims, room_id: int, pos: int, entry: Entry) -> Frame:
    room = {"room": room_id, "pos": pos, "seq": entry.seq, "last_read_seq": entry.last_read_seq}
    return Frame(
        encode_json(
            {
                "type": "ready",
                "protocol": PROTOCOL,
                "user_id": claims.user_id,
                "session": claims.session_id,
                "epoch": entry.epoch,
                "user_pos": entry.user_pos,
                "server_time": timestamp(datetime.now(UTC)),
                "heartbeat": HEARTBEAT_SECONDS,
                "rooms": [room],
                "more": False,
            }
        )
    )
