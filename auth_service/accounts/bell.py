"""Rings for the other service when there are new events to pull: fast, and free to fail.

A ring that is lost costs at most the seconds until the next poll, so nobody waits for one.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import Final

from django.conf import settings
from redis.exceptions import RedisError

from service_kit.redis_client import connect

CHANNEL: Final = "auth.events"
TIMEOUT_SECONDS: Final = 0.5
PAUSE_SECONDS: Final = 5.0

logger: Final = logging.getLogger(__name__)


class Bell:
    """Publishes on a thread of its own; after a failure it rests, and rings are dropped."""

    def __init__(self) -> None:
        self._redis = connect(timeout=TIMEOUT_SECONDS)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bell")
        self._rests_until = 0.0

    def ring(self, newest: int) -> None:
        """Tell the number of the newest event, soon and at most once."""
        self._thread.submit(self._publish, newest)

    def _publish(self, newest: int) -> None:
        if monotonic() < self._rests_until:
            return
        try:
            self._redis.publish(CHANNEL, newest)
        except (RedisError, OSError) as error:
            self._rests_until = monotonic() + PAUSE_SECONDS
            logger.warning("the bell did not ring: %s", type(error).__name__)


def ring(newest: int) -> None:
    """Ring, if the settings name a Redis."""
    if settings.REDIS_URL:
        _bell().ring(newest)


@cache
def _bell() -> Bell:
    return Bell()
