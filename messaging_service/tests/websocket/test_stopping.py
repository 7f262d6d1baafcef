"""Stopping what runs in the background, at the very moment in which it has something to do."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from local.redis import Redis
from messaging.websocket.presence import Keeper
from messaging.websocket.registry import Registry
from service_kit.tokens import Claims

CLAIMS = Claims("1", "alice", "Alice", "session", "token", expires_at=2**40)
# An old `asyncio.wait_for` forgot that it was cancelled one or two turns of the loop later.
TURNS = range(5)


async def _stops(background: Any) -> bool:
    stopping = asyncio.create_task(background.stop())
    done, _ = await asyncio.wait({stopping}, timeout=3)
    return bool(done)


@pytest.mark.parametrize("turns", TURNS)
async def test_the_registry(redis: Redis, turns: int) -> None:
    registry = Registry()
    registry.start()
    await asyncio.sleep(0.05)
    registry.opened(SimpleNamespace(id="1", claims=CLAIMS, close=print))
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await _stops(registry)


@pytest.mark.parametrize("turns", TURNS)
async def test_presence(redis: Redis, turns: int) -> None:
    keeper = Keeper()
    keeper.start()
    await asyncio.sleep(0.05)
    keeper.opened("1", "1")
    keeper._teller.doubt(["1"])
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await _stops(keeper)
