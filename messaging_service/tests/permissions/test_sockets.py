"""What Redis holds of open sockets: for as long as somebody says that they are open."""

from typing import Any
from uuid import uuid4

import pytest

from messaging.permissions.limits import sockets
from messaging.permissions.limits.sockets import OpenSocket, SocketCount
from service_kit.redis_client import connect

LONGEST_SECONDS = 60


@pytest.fixture
def socket() -> OpenSocket:
    return OpenSocket(uuid4().hex, f"user-{uuid4().hex}", 1.0)


@pytest.fixture
def redis() -> Any:
    return connect()


@pytest.fixture
def count() -> SocketCount:
    return SocketCount()


def key_of(socket: OpenSocket) -> str:
    return f"parley:sockets:{socket.user_id}"


def test_nothing_is_left_for_long_of_a_process_that_says_no_more(
    count: SocketCount, socket: OpenSocket, redis: Any
) -> None:
    count.exchange(opened=[socket], closed=[])
    assert 0 < redis.ttl(key_of(socket)) <= LONGEST_SECONDS


def test_what_is_open_is_said_again_before_it_is_forgotten(
    count: SocketCount, socket: OpenSocket, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    count.exchange(opened=[socket], closed=[])
    redis.expire(key_of(socket), 5)
    count.exchange(opened=[], closed=[])
    assert redis.ttl(key_of(socket)) <= 5
    monkeypatch.setattr(sockets, "AGAIN_SECONDS", 0.0)
    count.exchange(opened=[], closed=[])
    assert redis.ttl(key_of(socket)) > 5


def test_what_is_closed_is_not_said_again(
    count: SocketCount, socket: OpenSocket, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "AGAIN_SECONDS", 0.0)
    count.exchange(opened=[socket], closed=[])
    for closed in ([socket], []):
        count.exchange(opened=[], closed=closed)
        assert not redis.exists(key_of(socket))


def test_many_are_said_again_in_turn(
    count: SocketCount, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = [OpenSocket(uuid4().hex, f"user-{uuid4().hex}", 1.0) for _ in range(3)]
    count.exchange(opened=three, closed=[])
    redis.delete(*map(key_of, three))
    monkeypatch.setattr(sockets, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(sockets, "MOST_AGAIN", 1)
    for known in (1, 2, 3):
        count.exchange(opened=[], closed=[])
        assert redis.exists(*map(key_of, three)) == known


def test_whoever_lost_his_lease_is_told_and_forgets_what_he_said(
    count: SocketCount, socket: OpenSocket, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count.exchange(opened=[socket], closed=[]).lost
    assert not count.exchange(opened=[], closed=[]).lost
    count.end()
    assert count.exchange(opened=[], closed=[]).lost
    redis.delete(key_of(socket))
    monkeypatch.setattr(sockets, "AGAIN_SECONDS", 0.0)
    count.exchange(opened=[], closed=[])
    assert not redis.exists(key_of(socket))
