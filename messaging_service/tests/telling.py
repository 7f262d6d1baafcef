"""What is told between processes, heard at Redis itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.conf import settings
from redis import Redis

from messaging.broadcast import Envelope, publish, unseal
from messaging.events import Event


@contextmanager
def listen(channel: str) -> Iterator[Callable[[], bytes]]:
    """Hear what is published on a channel: each call gives the next of it."""
    with Redis.from_url(settings.REDIS_URL) as redis, redis.pubsub() as ear:
        ear.subscribe(channel)
        ear.get_message(timeout=5)

        def hear() -> bytes:
            message = ear.get_message(timeout=5)
            assert message is not None, "nothing was published"
            data: bytes = message["data"]
            return data

        yield hear


def told_on(
    channel: str, act: Callable[[], object], *, at_least: int = 0
) -> list[tuple[int, dict[str, Any]]]:
    """What an act tells on a channel: each event with the position it is told with.

    Another process tells a moment after it has answered, so `at_least` so many are waited for.
    New messages are left out: those of before may be told as late.
    """
    with listen(channel) as hear:
        _hear_up_to("the beginning", channel, hear)
        act()
        told = _hear(hear, at_least)
        return told + _hear_up_to("the end", channel, hear)


def _hear(hear: Callable[[], bytes], number: int) -> list[tuple[int, dict[str, Any]]]:
    told: list[tuple[int, dict[str, Any]]] = []
    while len(told) < number:
        told += _event(unseal(hear()))
    return told


def _hear_up_to(
    mark: str, channel: str, hear: Callable[[], bytes]
) -> list[tuple[int, dict[str, Any]]]:
    # Sockets hear the mark too, so it is something they may.
    publish([Event(channel, mark, b'{"type":"pong"}')])
    told = []
    while (envelope := unseal(hear())).kind != mark:
        told += _event(envelope)
    return told


def _event(envelope: Envelope) -> list[tuple[int, dict[str, Any]]]:
    frame = orjson.loads(envelope.text)
    assert frame["type"] == envelope.kind
    return [] if envelope.kind == "message" else [(envelope.pos, frame)]
