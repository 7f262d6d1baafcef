"""Redis stopped or frozen: what is sent is stored and acknowledged, and told a little later."""

import json
import os
import signal
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from secrets import token_hex

import pytest

from local.ports import LOOPBACK, free_ports
from local.redis import Redis
from messaging_service.tests.servers import closing_with, start_servers
from messaging_service.tests.sockets import Socket


class Own:
    """Processes of the service with a Redis of their own."""

    def __init__(self, redis, sockets, http):
        self.redis, self.sockets, self.http = redis, sockets, http

    def ask(self, method, path, body=None, *, token=None):
        """One request to the HTTP process: status, headers, JSON and seconds."""
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        began = time.monotonic()
        with closing(HTTPConnection(LOOPBACK, self.http.port, timeout=15)) as link:
            link.request(method, path, json.dumps(body) if body else None, headers)
            answer = link.getresponse()
            told = json.loads(answer.read())
        return answer.status, answer.headers, told, time.monotonic() - began

    @contextmanager
    def stopped(self):
        self.redis.stop()
        try:
            yield
        finally:
            self.redis.start()

    @contextmanager
    def frozen(self):
        os.kill(self.redis.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.redis.process.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def own(_database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    redis = Redis(
        home=folder / "redis", logs=folder / "log", port=free_ports(1)[0], password=token_hex(8)
    )
    redis.start()
    try:
        with start_servers(folder, sockets=1, http=1, REDIS_URL=redis.url) as (sockets, http):
            yield Own(redis, sockets, http)
    finally:
        redis.stop()


@pytest.fixture(params=["stopped", "frozen"])
def without_redis(own, request):
    return getattr(own, request.param)


class TestSendWithoutRedis:
    def test_is_acknowledged_within_a_second_and_told_within_five(
        self, own, without_redis, enter, alice, bob, room
    ):
        mine, theirs = (enter(person, room, server=own.sockets) for person in (alice, bob))
        path, told = f"/api/chat/rooms/{room}/messages/", []
        with without_redis():
            for number in range(5):
                status, _, message, seconds = own.ask(
                    "POST", path, {"content": f"http {number}"}, token=alice.token
                )
                assert (status, seconds < 1) == (201, True)
                told.append(message)
                began = time.monotonic()
                told.append(mine.ask({"type": "message", "content": f"ws {number}"})["message"])
                assert time.monotonic() - began < 1
            began = time.monotonic()
            heard = [theirs.expect("message", within=6) for _ in told]
            assert time.monotonic() - began < 5
        assert heard == [{"type": "message"} | message for message in told]
        assert [message["seq"] for message in told] == list(range(1, 11))
        assert own.ask("GET", path, token=bob.token)[2]["results"] == told

    def test_is_told_at_once_when_it_is_back(self, own, without_redis, enter, alice, bob, room):
        mine, theirs = (enter(person, room, server=own.sockets) for person in (alice, bob))
        with without_redis():
            missed = mine.ask({"type": "message", "content": "missed"})["message"]
        assert theirs.expect("message", within=6)["id"] == missed["id"]
        self.wait_until_told_at_once(mine, theirs)

    def wait_until_told_at_once(self, mine, theirs):
        """Typing lives in Redis alone: it is heard again once every connection is back."""
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            mine.ask({"type": "typing", "is_typing": True})
            try:
                theirs.expect("typing", within=0.3)
            except TimeoutError:
                continue
            return
        pytest.fail("nothing is told though Redis is back")


class TestSocketWithoutRedis:
    def test_opens_and_hears(self, own, without_redis, connect, alice, bob, room):
        with without_redis():
            began = time.monotonic()
            theirs = connect(bob, room, server=own.sockets)
            assert theirs.next()["type"] == "ready"
            assert time.monotonic() - began < 3
            sent = own.ask(
                "POST", f"/api/chat/rooms/{room}/messages/", {"content": "x"}, token=alice.token
            )[2]
            assert theirs.expect("message", within=6)["id"] == sent["id"]


class TestTicketWithoutRedis:
    def test_is_refused_cleanly_and_sold_again_when_it_is_back(self, own, without_redis, alice):
        with without_redis():
            status, headers, told, seconds = own.ask(
                "POST", "/api/chat/ws-ticket/", token=alice.token
            )
            assert (status, told["code"], headers["Retry-After"]) == (503, "unavailable", "1")
            assert seconds < 3
        assert own.ask("POST", "/api/chat/ws-ticket/", token=alice.token)[0] == 200

    def test_that_cannot_be_looked_up_closes_with_1013(self, own, without_redis, room):
        address = f"{own.sockets.address}/ws/chat/{room}/?ticket=x"
        with without_redis(), Socket(address) as socket:
            assert socket.closed() == closing_with(1013, while_opening=True)


class TestHealthWithoutRedis:
    def test_names_the_store_that_is_away(self, own, without_redis):
        with without_redis():
            status, _, told, _ = own.ask("GET", "/health/ready")
            assert (status, told["status"]) == (503, "unavailable")
            away = {name for name, result in told["checks"].items() if result != "ok"}
            assert away == {"redis"}
            assert own.ask("GET", "/health/live")[0] == 200
        assert own.ask("GET", "/health/ready")[0] == 200
