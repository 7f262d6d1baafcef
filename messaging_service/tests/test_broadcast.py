"""The publisher: in order, never in the way, and back when Redis is."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client

from local.redis import Redis
from messaging.broadcast import (
    MOST_WAITING,
    PAUSE_SECONDS,
    TIMEOUT_SECONDS,
    Envelope,
    Publisher,
    seal,
    unseal,
)
from messaging.events import Event, room_channel
from messaging_service.tests.engines import frozen, own_redis


def event(number: int, *, room_id: int = 1) -> Event:
    text = b'{"type":"message","n":%d}' % number
    return Event(channel=room_channel(room_id), kind="message", text=text, pos=number, seq=number)


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[Redis]:
    with own_redis(tmp_path) as made:
        settings.REDIS_URL = made.url
        yield made


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.stop()


class Ear:
    """Hears what is published to rooms."""

    def __init__(self, redis: Redis, *room_ids: int) -> None:
        self._client = Client.from_url(redis.url)
        self._heard = self._client.pubsub(ignore_subscribe_messages=True)
        self._heard.subscribe(*map(room_channel, room_ids))
        time.sleep(0.05)

    def hear(self, count: int, *, within: float = 3.0) -> list[int]:
        """The positions heard, in order, until there are so many or time is up."""
        found: list[int] = []
        end = time.monotonic() + within
        while len(found) < count and time.monotonic() < end:
            if message := self._heard.get_message(timeout=0.05):
                found.append(unseal(message["data"]).pos)
        return found

    def close(self) -> None:
        self._heard.close()
        self._client.close()


@pytest.fixture
def ear(redis: Redis) -> Iterator[Ear]:
    made = Ear(redis, 1, 2)
    yield made
    made.close()


def timed(publisher: Publisher, events: list[Event]) -> float:
    start = time.monotonic()
    publisher.publish(events)
    return time.monotonic() - start


class TestWhoIsNearby:
    def test_hears_what_is_durable_without_redis(self, redis: Redis, publisher: Publisher) -> None:
        heard: list[tuple[str, Envelope]] = []
        publisher.nearby = heard.extend
        typing = Event(channel=room_channel(1), kind="typing", text=b"{}")
        with frozen(redis):
            publisher.publish([event(1), typing, event(2, room_id=2)])
        assert [(channel, told.pos) for channel, told in heard] == [
            (room_channel(1), 1),
            (room_channel(2), 2),
        ]


class TestAnEnvelope:
    @pytest.mark.parametrize("text", [b"{}", b'{"a":"\\n"}', '{"a":"\u2028 é"}'.encode()])
    def test_keeps_everything(self, text: bytes) -> None:
        about = {"author_id": "ten", "subject": ("eleven", 12)}
        sent = Event("here", "message", text, pos=8, seq=9, rooms=((1, 2),), **about)
        got = unseal(seal(sent))
        assert (got.pos, got.kind, got.seq, got.subject) == (8, "message", 9, ("eleven", 12))
        assert (got.author_id, got.rooms, got.text) == ("ten", [(1, 2)], text)
        assert abs(got.at - time.time()) < 5


class TestAPublisher:
    def test_tells_in_order(self, publisher: Publisher, ear: Ear) -> None:
        for first in range(1, 2000, 7):
            publisher.publish([event(n) for n in range(first, first + 7)])
        assert ear.hear(2002) == list(range(1, 2003))
        assert publisher.dropped == 0

    def test_tells_what_waits_when_it_is_stopped(self, ear: Ear) -> None:
        publisher = Publisher()
        publisher.publish([event(n) for n in range(1, 1001)])
        publisher.stop()
        assert ear.hear(1000) == list(range(1, 1001))

    def test_drops_what_is_too_much(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publisher, "_ensure_thread", lambda: None)
        publisher.publish([event(n) for n in range(MOST_WAITING)])
        assert publisher.dropped == 0
        publisher.publish([event(n) for n in range(10)])
        assert publisher.dropped == 10

    def test_lives_on_after_an_event_that_cannot_be_told(
        self, publisher: Publisher, ear: Ear
    ) -> None:
        publisher.publish([event(2**70)])
        time.sleep(PAUSE_SECONDS + 0.3)
        publisher.publish([event(1)])
        assert ear.hear(1) == [1]
        assert publisher.dropped == 1


class TestAFailingRedis:
    def test_that_is_frozen_makes_nobody_wait(
        self, publisher: Publisher, redis: Redis, ear: Ear
    ) -> None:
        publisher.publish([event(1)])
        assert ear.hear(1) == [1]
        with frozen(redis):
            times = []
            for n in range(2, 62):
                times.append(timed(publisher, [event(n)]))
                time.sleep(0.02)
            assert max(times) < 0.1
            assert publisher.dropped > 40
        time.sleep(PAUSE_SECONDS + TIMEOUT_SECONDS)
        publisher.publish([event(100)])
        heard = ear.hear(1)
        while heard[-1] != 100:
            more = ear.hear(1)
            assert more, heard
            heard += more

    def test_that_is_away_is_left_alone_for_a_while(
        self, publisher: Publisher, redis: Redis, caplog: pytest.LogCaptureFixture
    ) -> None:
        publisher.publish([event(1)])
        time.sleep(0.1)
        redis.process.child.kill()
        redis.process.child.wait()
        caplog.clear()
        for n in range(100):
            assert timed(publisher, [event(n)]) < 0.1
            time.sleep(0.005)
        assert publisher.dropped == 100
        assert len([r for r in caplog.records if r.name == "messaging.broadcast"]) <= 2

    def test_that_comes_back_is_told_again(self, publisher: Publisher, redis: Redis) -> None:
        publisher.publish([event(1)])
        time.sleep(0.1)
        redis.process.child.kill()
        redis.process.child.wait()
        publisher.publish([event(2)])
        time.sleep(0.1)
        redis.start()
        ear = Ear(redis, 1)
        time.sleep(PAUSE_SECONDS + 0.2)
        publisher.publish([event(3)])
        assert ear.hear(1) == [3]
        assert publisher.dropped == 1
        ear.close()

    def test_that_was_never_there_breaks_nothing(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        publisher = Publisher()
        publisher.publish([event(1)])
        start = time.monotonic()
        publisher.stop()
        assert time.monotonic() - start < 1.0
        assert publisher.dropped == 1
