"""A hub of the test's own, on a Redis of its own."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.redis import Redis
from messaging.broadcast import publisher
from messaging.websocket.hub import Hub
from messaging_service.tests.engines import own_redis
from messaging_service.tests.websocket.ears import made_up


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[Redis]:
    """The hub's own: what actions publish does not come here unless the test tells it."""
    publisher().publish([made_up(0, 0)])
    while publisher()._waiting:
        time.sleep(0.005)
    with own_redis(tmp_path) as made:
        settings.REDIS_URL = made.url
        yield made


@pytest.fixture
async def hub(redis: Redis) -> AsyncIterator[Hub]:
    made = Hub()
    made.start()
    yield made
    await made.stop()
