"""The life of a socket: accept, authorise, enter, carry out commands, leave."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from prometheus_client import Counter, Gauge

from messaging.actions.sessions import ended_sessions
from messaging.permissions import LARGEST_ID
from messaging.websocket.authentication import Receive, Send, protocol_of
from messaging.websocket.commands import carry_out
from messaging.websocket.connection import Connection, close_code
from messaging.websocket.entering import (
    Beginning,
    enter_all_rooms,
    enter_notifications,
    enter_room,
)
from messaging.websocket.outlets import outlet_for
from messaging.websocket.presence import is_clean, keeper
from messaging.websocket.registry import registry
from service_kit.refusals import Refusal, as_refusal
from service_kit.security import tell_refused

logger: Final = logging.getLogger(__name__)

_open: Final = Gauge("parley_sockets_open", "Sockets that are ready, by what they are.", ["kind"])
_frames: Final = Counter("parley_frames_received_total", "Frames from clients.")
_closed: Final = Counter("parley_sockets_closed_total", "Closed sockets, by close code.", ["code"])

LONGEST_POSITION: Final = 19

Enter = Callable[[Connection, Beginning], Awaitable[None]]
Scope = dict[str, Any]

KNOWN_CODES: Final = {1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, *range(4400, 4430)}


async def room_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """`/ws/chat/<room_id>/`: one room, everything its members may see and do."""
    room_id = int(scope["url_route"]["kwargs"]["room_id"])
    await _live(scope, receive, send, enter_room, room_id=room_id)


async def rooms_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """`/ws/chat/`: every room of its owner; commands name theirs."""
    await _live(scope, receive, send, enter_all_rooms)


async def notifications_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """`/ws/notifications/`: what is unread, and no room's traffic."""
    await _live(scope, receive, send, enter_notifications)


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Any other path: told by a close code, because browser code cannot read a status."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": protocol_of(scope)})
    await _close(send, Refusal("invalid", "There is nothing at this path."))


async def _live(
    scope: Scope, receive: Receive, send: Send, enter: Enter, *, room_id: int | None = None
) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": protocol_of(scope)})
    if refusal := scope.get("refusal"):
        await _close(send, refusal)
        return
    try:
        beginning = _beginning(scope)
        connection = Connection(claims=scope["claims"], outlet=outlet_for(send), room_id=room_id)
        await _serve(connection, enter, beginning, receive)
    except Exception as error:  # noqa: BLE001 - it is answered and logged there.
        refusal = as_refusal(error)
        if refusal is not None:
            claims = scope["claims"]
            tell_refused(refusal, user_id=claims.user_id, session_id=claims.session_id)
        await _close(send, refusal, error)


def _beginning(scope: Scope) -> Beginning:
    given = scope.get("query_string", b"").decode("latin-1")
    query = dict(parse_qsl(given, keep_blank_values=True))
    after = query.get("after")
    if after is None:
        return Beginning()
    if not (after.isascii() and after.isdigit() and len(after) <= LONGEST_POSITION):
        raise Refusal("invalid", "after is a position.")
    return Beginning(min(int(after), LARGEST_ID), query.get("epoch"))


async def _serve(
    connection: Connection, enter: Enter, beginning: Beginning, receive: Receive
) -> None:
    clean = False
    try:
        await enter(connection, beginning)
        connection.live_as(connection.claims)
        keeper().opened(connection.id, connection.claims.user_id)
        registry().opened(connection)
        # From here on it is closed if its session ends; it may have ended on the way in.
        ended_sessions().refuse(connection.claims)
        with _open.labels(enter.__name__.removeprefix("enter_")).track_inprogress():
            clean = await _receive_until_closed(connection, receive)
    finally:
        connection.leave()
        registry().closed(connection)
        keeper().closed(connection.id, clean=clean)


async def _receive_until_closed(connection: Connection, receive: Receive) -> bool:
    while (event := await receive())["type"] == "websocket.receive":
        _frames.inc()
        await carry_out(connection, event.get("text"))
    _closed.labels(_known(event.get("code"))).inc()
    return is_clean(event)


def _known(code: int | None) -> str:
    """A client may close with any code: what nobody gave a meaning is one of them."""
    return str(code) if code in KNOWN_CODES else "other"


async def _close(send: Send, refusal: Refusal | None, error: Exception | None = None) -> None:
    if refusal is None:
        logger.error("A socket failed.", exc_info=error)
    reason = refusal.detail if refusal else ""
    await send({"type": "websocket.close", "code": close_code(refusal), "reason": reason})
