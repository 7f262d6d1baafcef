"""What tests of presence stand on: keepers in this process, and what is told of people."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from redis import Redis as Client

from messaging.events import Event
from messaging.models.presence import CLOCK_KEY, DUE_KEY, PROCESSES_KEY, leases_key
from messaging.websocket.presence import Keeper


class Told:
    """Takes the place of `publish`, and keeps what the events say of people."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.subjects: list[tuple[str, int]] = []

    def __call__(self, events: Iterable[Event]) -> None:
        for event in events:
            self.frames.append(json.loads(event.text))
            self.subjects.append(event.subject)

    def of(self, person: Any) -> list[str]:
        return [each["status"] for each in self.frames if each["user_id"] == person.id]


class Keepers:
    """Makes keepers that share nothing, as processes do."""

    def __init__(self) -> None:
        self._running: list[Keeper] = []

    def __call__(self) -> Keeper:
        keeper = Keeper()
        keeper.start()
        self._running.append(keeper)
        return keeper

    async def crash(self, keeper: Keeper) -> None:
        """End it as SIGKILL would: without a word to Redis."""
        self._running.remove(keeper)
        await keeper._background.stop()

    async def stop(self) -> None:
        while self._running:
            keeper = self._running.pop()
            await keeper.stop()


class Kept:
    """What is in Redis."""

    def __init__(self, url: str) -> None:
        self.client: Any = Client.from_url(url)

    def people(self) -> set[str]:
        return {user.decode() for user in self.client.zrange(DUE_KEY, 0, -1)}

    def seconds_left(self, person: Any, connection_id: str) -> float:
        end = self.client.zscore(leases_key(person.id), connection_id)
        now, micros = self.client.time()
        return float(end) / 1000 - now - micros / 1_000_000

    def pass_time(self, seconds: int, *people: Any) -> None:
        """Let the clock of Redis alone run ahead, as when a machine wakes up."""
        for key in (DUE_KEY, PROCESSES_KEY, *(leases_key(person.id) for person in people)):
            for member in self.client.zrange(key, 0, -1):
                self.client.zincrby(key, -1000 * seconds, member)
        for mark in ("asked", "resumed"):
            self.client.hincrby(CLOCK_KEY, mark, -1000 * seconds)

    def begun(self) -> bytes | None:
        found: bytes | None = self.client.hget(CLOCK_KEY, "since")
        return found


async def until(true: Callable[[], object], *, within: float) -> float:
    """Seconds until it is true."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < within, "it did not happen"
        await asyncio.sleep(0.01)
    return time.monotonic() - start


async def longest_stall(seconds: float) -> float:
    """How long the loop did not come round, at worst, in this time."""
    worst, end = 0.0, time.monotonic() + seconds
    while (before := time.monotonic()) < end:
        await asyncio.sleep(0.01)
        worst = max(worst, time.monotonic() - before - 0.01)
    return worst
