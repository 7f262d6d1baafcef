"""Sessions that end while sockets of theirs are open, or opened, in real processes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from messaging.models import AuthFeed as Heard
from messaging.models import Message, Profile
from messaging.websocket.standstill import LONGEST_SECONDS
from messaging_service.tests.auth_feed import AuthFeed, auth_feed
from messaging_service.tests.people import Person
from messaging_service.tests.servers import Server, start_servers
from messaging_service.tests.sockets import Socket
from service_kit.testing import token_for

# Promised are 2 s with Redis, 10 s without.
RUNG_SECONDS = 2.0
POLLED_SECONDS = 10.0


@pytest.fixture(scope="module")
def feed() -> Iterator[AuthFeed]:
    with auth_feed() as feed:
        yield feed


@pytest.fixture(scope="module")
def servers(feed: AuthFeed, tmp_path_factory: Any, _database: None) -> Iterator[list[Server]]:
    """Two socket processes and one for HTTP, which all hear the feed."""
    Heard.objects.update(cursor=0, mark="")
    folder = tmp_path_factory.mktemp("ended")
    with start_servers(folder, sockets=2, http=1, AUTH_API_URL=feed.url) as servers:
        yield servers


Enter = Callable[..., Socket]


@pytest.fixture
def enter(servers: list[Server], room: int) -> Iterator[Enter]:
    """Open the room's socket at one of the processes."""
    with ExitStack() as opened:

        def enter(token: str, number: int = 0) -> Socket:
            address = f"{servers[number].address}/ws/chat/{room}/?token={token}"
            return opened.enter_context(Socket(address))

        yield enter


@pytest.fixture
def entered(enter: Enter) -> Enter:
    def entered(token: str, number: int = 0) -> Socket:
        socket = enter(token, number)
        socket.expect("ready")
        return socket

    return entered


@pytest.fixture
def end(feed: AuthFeed) -> Callable[[Person], None]:
    """End somebody's session, and ring."""

    def end(person: Person) -> None:
        feed.end(person.id, f"session-{person.id}")
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.publish("auth.events", len(feed.events))

    return end


def asked(server: Server, person: Person) -> tuple[int, bytes]:
    link = HTTPConnection("127.0.0.1", server.port, timeout=10)
    bearer = {"Authorization": f"Bearer {person.token}"}
    link.request("GET", "/api/chat/rooms/", headers=bearer)
    answer = link.getresponse()
    body = answer.read()
    link.close()
    return answer.status, body


def until_refused(server: Server, person: Person, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (answer := asked(server, person))[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer[0] == 401
    assert b'"session_revoked"' in answer[1]


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


class TestAnOpenSocket:
    """Rule 21."""

    def test_is_closed_in_every_process(
        self, entered: Enter, end: Any, alice: Person, bob: Person
    ) -> None:
        mine = [entered(alice.token, number) for number in (0, 0, 1)]
        his = [entered(bob.token, number) for number in (0, 1)]
        end(alice)
        for socket in mine:
            assert socket.closed(within=RUNG_SECONDS) == 4401
        for socket in his:
            assert socket.ask({"type": "ping"})["type"] == "pong"

    def test_of_another_session_stays(self, entered: Enter, end: Any, alice: Person) -> None:
        other = token_for(alice.id, username=alice.username, session_id=f"other-{alice.id}")
        mine, elsewhere = entered(alice.token), entered(other)
        end(alice)
        assert mine.closed(within=RUNG_SECONDS) == 4401
        assert elsewhere.ask({"type": "ping"})["type"] == "pong"

    def test_is_closed_also_if_nobody_rings(
        self, entered: Enter, feed: AuthFeed, alice: Person
    ) -> None:
        sockets = [entered(alice.token, number) for number in (0, 1)]
        feed.end(alice.id, f"session-{alice.id}")
        for socket in sockets:
            assert socket.closed(within=POLLED_SECONDS) == 4401

    def test_hears_nothing_more_from_a_process_that_stood_still(
        self, servers: list[Server], entered: Enter, end: Any, alice: Person, bob: Person
    ) -> None:
        mine, his, other = entered(alice.token), entered(bob.token), entered(bob.token, 1)
        with stopped(servers[0]):
            end(alice)
            until_refused(servers[2], alice, seconds=RUNG_SECONDS)
            for number in range(10):
                other.ask({"type": "message", "content": f"Not for her {number}"})
            mine.send({"type": "message", "content": "Not from her"})
            time.sleep(LONGEST_SECONDS)
        assert mine.closed(within=RUNG_SECONDS) == 4401
        assert [frame["type"] for frame in mine.unheard] == []
        assert his.expect("message")["content"] == "Not for her 0"
        assert not Message.objects.filter(sender_id=alice.id).exists()


class TestACredential:
    """Rule 19, at the handshake."""

    def test_opens_nothing_any_more(
        self, servers: list[Server], enter: Enter, end: Any, room: int, alice: Person
    ) -> None:
        end(alice)
        for server in servers:
            until_refused(server, alice, seconds=RUNG_SECONDS)
        for number in (0, 1):
            bearer = {"headers": {"Authorization": f"Bearer {alice.token}"}}
            protocols = {"protocols": ("parley.v1", f"bearer.{alice.token}")}
            for credential in (bearer, protocols):
                address = f"{servers[number].address}/ws/chat/{room}/"
                with Socket(address, **credential) as socket:  # type: ignore[arg-type]
                    assert (socket.closed(), socket.unheard) == (4401, [])
            for path in ("chat/", "notifications/"):
                address = f"{servers[number].address}/ws/{path}?token={alice.token}"
                with Socket(address) as socket:
                    assert (socket.closed(), socket.unheard) == (4401, [])

    def test_may_be_a_ticket_bought_before(
        self, servers: list[Server], api: Any, end: Any, room: int, alice: Person
    ) -> None:
        ticket = api.post("ws-ticket/", token=alice.token).json()["ticket"]
        end(alice)
        for server in servers:
            until_refused(server, alice, seconds=RUNG_SECONDS)
        with Socket(f"{servers[0].address}/ws/chat/{room}/?ticket={ticket}") as socket:
            assert (socket.closed(), socket.unheard) == (4401, [])

    def test_is_refused_after_a_restart_without_auth_service(
        self, servers: list[Server], feed: AuthFeed, end: Any, enter: Enter, alice: Person
    ) -> None:
        end(alice)
        for server in servers:
            until_refused(server, alice, seconds=RUNG_SECONDS)
        feed.answer = feed.hang
        try:
            for server in (servers[1], servers[2]):
                server.process.kill()
                server.process.start()
                server.process.wait_until(lambda server=server: _is_up(server))  # type: ignore[misc]
            until_refused(servers[2], alice, seconds=0)
            assert enter(alice.token, 1).closed() == 4401
        finally:
            feed.answer = None
            feed.released.set()


def _is_up(server: Server) -> bool:
    link = HTTPConnection("127.0.0.1", server.port, timeout=1)
    try:
        link.request("GET", "/health/live", headers={"Host": "localhost"})
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


class TestAProfile:
    def test_that_changed_is_told_to_open_sockets(
        self, entered: Enter, feed: AuthFeed, alice: Person, bob: Person
    ) -> None:
        hearing = [entered(bob.token, number) for number in (0, 1)]
        feed.change(alice, username="alicia", display_name="Alicia")
        for socket in hearing:
            told = socket.expect("user.changed", within=POLLED_SECONDS)
            assert (told["user_id"], told["username"]) == (alice.id, "alicia")
        assert Profile.objects.get(pk=alice.id).username == "alicia"


@pytest.mark.parametrize("how", ["fail", "redirect", "drip", b"garbage"])
def test_valid_tokens_work_whatever_auth_service_answers(
    servers: list[Server], feed: AuthFeed, entered: Enter, how: Any, alice: Person
) -> None:
    feed.released.clear()
    feed.answer = how if isinstance(how, bytes) else getattr(feed, how)
    before = len(feed.asked)
    try:
        socket = entered(alice.token)
        deadline = time.monotonic() + POLLED_SECONDS
        while len(feed.asked) == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert socket.ask({"type": "message", "content": "x"})["type"] == "ack"
        assert asked(servers[2], alice)[0] == 200
    finally:
        feed.answer = None
        feed.released.set()
