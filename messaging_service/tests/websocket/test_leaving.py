"""What is left of a socket that has gone, and of a feed nobody listens to: nothing to collect."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from messaging.websocket.connection import Connection
from messaging.websocket.hub import Hub
from messaging.websocket.protocol import LimitedProtocol
from messaging_service.tests.actions.stage import new_people, new_room
from messaging_service.tests.websocket.ears import Ear, listen, until
from service_kit.tokens import Claims


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def test_nothing_of_a_socket() -> None:
    claims = Claims("1", "alice", "Alice", "session", "token", expires_at=2**40)
    connection = Connection(claims=claims, outlet=Ear("1"))
    connection.live_as(claims)
    left = [weakref.ref(connection), weakref.ref(connection.places)]
    connection.leave()
    del connection
    assert [one() for one in left] == [None, None]


@pytest.fixture
def room() -> int:
    return new_room(new_people(2))


async def test_nothing_of_a_feed(hub: Hub, room: int) -> None:
    ear = await listen(hub, room)
    left = weakref.ref(ear.feed)
    ear.leave(hub)
    del ear.feed
    assert left() is None


async def _accept(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


@pytest.mark.parametrize("is_cut", [False, True])
async def test_nothing_of_a_connection(*, is_cut: bool) -> None:
    config = Config(_accept, ws=LimitedProtocol, log_config=None)
    config.load()
    state, left = ServerState(), []

    def protocol() -> HttpToolsProtocol:
        made = HttpToolsProtocol(config, state, {})
        left.append(weakref.ref(made))
        return made

    async with await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/") as socket:
            await until(lambda: left[0]() is None, within=1)
            left += [weakref.ref(part) for made in state.connections for part in (made, made.conn)]
            if is_cut:
                socket.transport.abort()
        await until(lambda: [one() for one in left] == [None, None, None], within=1)
