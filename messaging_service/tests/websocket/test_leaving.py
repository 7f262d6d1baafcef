"""What is left of a socket that has gone, and of a feed nobody listens to: nothing to collect."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from messaging.websocket.connection import Connection
from messaging.websocket.hub import Hub
from messaging_service.tests.actions.stage import new_people, new_room
from messaging_service.tests.websocket.ears import Ear, listen
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
