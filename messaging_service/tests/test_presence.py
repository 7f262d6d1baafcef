"""Presence as clients live it: real processes, real times."""

import os
import signal
import socket as sockets
import time

import pytest

from messaging.broadcast import publish
from messaging.events import presence
from messaging.queries.presence import shown_presence
from messaging_service.tests.servers import start_servers


@pytest.fixture(scope="module")
def servers(_database, tmp_path_factory):
    with start_servers(tmp_path_factory.mktemp("servers"), sockets=3) as running:
        yield running


def hear(socket, person, status, *, within):
    """Seconds until the socket is told this of somebody, and nothing else of him before."""
    start = time.monotonic()
    while True:
        frame = socket.expect("presence", within=start + within - time.monotonic())
        if frame["user_id"] == person.id:
            assert frame["status"] == status
            return time.monotonic() - start


def of(person, frame):
    """What a frame says of this person's status, if it is about him."""
    return frame["status"] if frame["user_id"] == person.id else None


@pytest.fixture
def hearing(enter, servers, alice, bob, room):
    """Bob's socket, which was told of alice what she was when he came."""
    socket = enter(bob, room, server=servers[1])
    hear(socket, alice, "offline", within=1)
    return socket


@pytest.fixture
def mine(enter, servers, alice, room, hearing):
    """Alice's socket in another process, of which bob was told."""
    socket = enter(alice, room, server=servers[0])
    assert hear(hearing, alice, "online", within=3) < 1
    return socket


class TestComing:
    def test_shows_who_is_here(self, enter, connect, servers, mine, hearing, alice, bob, room):
        again = connect(alice, room, server=servers[1])
        shown = [again.expect("presence", within=1) for _ in range(2)]
        assert {(each["user_id"], each["status"]) for each in shown} == {
            (alice.id, "online"),
            (bob.id, "online"),
        }


class TestSayingHowOneIs:
    def test_is_told_and_that_one_is_here(self, enter, servers, hearing, alice, room):
        mine = enter(alice, room, server=servers[0])
        mine.ask({"type": "presence", "status": "busy", "custom_status": "x"})
        told = [of(alice, hearing.expect("presence"))]
        while told[-1] != "busy":
            told.append(of(alice, hearing.expect("presence")))
        assert set(told) <= {None, "online", "busy"}

    def test_is_not_taken_back_by_what_crossed_it(self, hearing, alice, room):
        [shown] = shown_presence(viewer_id=alice.id, user_ids=[alice.id])
        for number, status in ((7, "busy"), (6, "online"), (8, "away")):
            publish([presence(shown | {"status": status}, number=number, rooms={room: 0})])
        hear(hearing, alice, "busy", within=1)
        hear(hearing, alice, "away", within=1)


class TestGoing:
    def test_by_closing_is_told_after_two_seconds(self, mine, hearing, alice):
        mine.close()
        assert 1.8 < hear(hearing, alice, "offline", within=6) < 4.5

    def test_by_closing_without_a_code_is_no_different(self, mine, hearing, alice):
        mine.link.socket.sendall(b"\x88\x80mask")
        assert 1.8 < hear(hearing, alice, "offline", within=6) < 4.5

    def test_by_breaking_is_told_after_ten_seconds(self, mine, hearing, alice):
        mine.link.socket.shutdown(sockets.SHUT_RDWR)
        assert 9.5 < hear(hearing, alice, "offline", within=14) < 12.5

    def test_with_a_second_device_here_is_not_told(
        self, enter, servers, mine, hearing, alice, room
    ):
        other = enter(alice, room, server=servers[1])
        mine.close()
        with pytest.raises(TimeoutError):
            hear(hearing, alice, "offline", within=4.5)
        other.close()
        hear(hearing, alice, "offline", within=6)

    def test_and_coming_back_at_once_is_not_told(self, enter, servers, mine, hearing, alice, room):
        mine.close()
        time.sleep(0.5)
        enter(alice, room, server=servers[1])
        with pytest.raises(TimeoutError):
            hear(hearing, alice, "offline", within=4.5)


class TestAKilledProcess:
    def test_is_told_within_45_seconds(self, enter, servers, hearing, alice, room):
        enter(alice, room, server=servers[2])
        hear(hearing, alice, "online", within=3)
        time.sleep(12)
        os.kill(servers[2].process.pid, signal.SIGKILL)
        assert hear(hearing, alice, "offline", within=45) > 10
