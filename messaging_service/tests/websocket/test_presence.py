"""Who is here, held by real keepers on a Redis of their own: leases in, people told out."""

import asyncio
import json
import time

import pytest
from django.conf import settings
from tests.websocket.engines import own_redis

from messaging.actions.presence import leases, told
from messaging.websocket.presence import Keeper


class Told:
    """What the presence events said, in order: (user id, status)."""

    def __init__(self):
        self.events = []

    def __call__(self, events):
        self.events += [json.loads(event.text) for event in events]

    def of(self, person):
        return [each["status"] for each in self.events if each["user_id"] == person.id]


@pytest.fixture
def heard(monkeypatch):
    heard = Told()
    monkeypatch.setattr(told, "publish", heard)
    return heard


@pytest.fixture
def redis(tmp_path, monkeypatch):
    with own_redis(tmp_path) as running:
        monkeypatch.setattr(settings, "REDIS_URL", running.url)
        monkeypatch.setattr(leases, "GRACE_SECONDS", 0.3)
        leases.client.cache_clear()
        yield running
        leases.client.cache_clear()


class Keepers:
    def __init__(self):
        self.started = []

    def __call__(self):
        keeper = Keeper()
        keeper.start()
        self.started.append(keeper)
        return keeper

    def crash(self, keeper):
        """End it as SIGKILL would: without a word to Redis."""
        self.started.remove(keeper)
        for task in keeper._tasks:
            task.cancel()


@pytest.fixture
async def keepers(redis):
    made = Keepers()
    yield made
    for keeper in made.started:
        await keeper.stop()


async def until(true, *, within):
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < within
        await asyncio.sleep(0.01)
    return time.monotonic() - start


class TestOneDevice:
    async def test_comes_and_goes(self, keepers, heard, alice, room):
        keeper = keepers()
        keeper.opened("a", alice.id)
        assert await until(lambda: heard.of(alice) == ["online"], within=2) < 1
        keeper.closed("a", clean=True)
        took = await until(lambda: heard.of(alice) == ["online", "offline"], within=5)
        assert 1.9 < took < 4
