"""A process that was asked to end serves on until nobody comes, and then ends in order."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from local.ports import LOOPBACK
from messaging_service.tests.people import Person
from messaging_service.tests.servers import Server, start_servers
from messaging_service.tests.sockets import Socket

Connect = Callable[..., Socket]
LEAVING_SECONDS = 1.0
ENDED_BY = (0, -signal.SIGTERM)
SETTINGS = {"LEAVING_SECONDS": str(LEAVING_SECONDS)}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Server]:
    with start_servers(tmp_path, http=1, **SETTINGS) as (server,):
        yield server


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Server]:
    with start_servers(tmp_path, sockets=1, **SETTINGS) as (server,):
        yield server


def ask(link: HTTPConnection, path: str) -> tuple[int, str | None]:
    link.request("GET", path, headers={"Host": "localhost"})
    answer = link.getresponse()
    answer.read()
    return answer.status, answer.headers["Connection"]


def ends(server: Server) -> bool:
    return server.process.child.wait(10) in ENDED_BY


class TestAnHttpProcess:
    def test_serves_on_and_asks_for_no_more(self, http: Server) -> None:
        with closing(HTTPConnection(LOOPBACK, http.port, timeout=5)) as link:
            assert ask(link, "/health/serving") == (200, "keep-alive")
            began = time.monotonic()
            http.process.ask_to_stop()
            time.sleep(0.3)
            # Who held a connection is told to give it up, and who makes a new one is served.
            assert ask(link, "/health/serving") == (503, "close")
        paths = {"/health/live": 200, "/health/ready": 503, "/api/chat/rooms/": 401}
        for path, status in paths.items():
            with closing(HTTPConnection(LOOPBACK, http.port, timeout=5)) as link:
                assert ask(link, path) == (status, "close")
        assert ends(http)
        assert LEAVING_SECONDS <= time.monotonic() - began < LEAVING_SECONDS + 4

    def test_answers_what_has_begun(self, http: Server) -> None:
        with closing(HTTPConnection(LOOPBACK, http.port, timeout=10)) as link:
            link.putrequest("POST", "/api/chat/rooms/")
            link.putheader("Content-Length", "2")
            link.endheaders()
            http.process.ask_to_stop()
            time.sleep(LEAVING_SECONDS + 0.5)
            link.send(b"{}")
            assert link.getresponse().status == 401
        assert ends(http)


class TestASocketProcess:
    def test_carries_out_what_is_asked_and_then_sends_away_one_after_the_other(
        self, sockets: Server, connect: Connect, alice: Person, bob: Person, room: int
    ) -> None:
        first, second = (connect(person, room, server=sockets) for person in (alice, bob))
        began = time.monotonic()
        sockets.process.ask_to_stop()
        with closing(HTTPConnection(LOOPBACK, sockets.port, timeout=5)) as link:
            wait_until_leaving(link)
        assert first.ask({"type": "message", "content": "x"})["type"] == "ack"
        with ThreadPoolExecutor(2) as both:
            gone = list(both.map(when_closed, (first, second)))
        assert {code for code, _ in gone} == {1012}
        one, other = sorted(at - began for _, at in gone)
        assert one >= LEAVING_SECONDS
        assert other - one >= 0.3 * LEAVING_SECONDS
        assert ends(sockets)

    def test_ends_at_once_when_asked_twice(
        self, sockets: Server, connect: Connect, alice: Person, room: int
    ) -> None:
        socket = connect(alice, room, server=sockets)
        for _ in range(2):
            os.kill(sockets.process.pid, signal.SIGTERM)
            time.sleep(0.2)
        assert socket.closed(within=0.5) == 1012
        assert ends(sockets)


def wait_until_leaving(link: HTTPConnection) -> None:
    until = time.monotonic() + LEAVING_SECONDS
    while ask(link, "/health/serving")[0] == 200:
        assert time.monotonic() < until


def when_closed(socket: Socket) -> tuple[int, float]:
    return socket.closed(), time.monotonic()
