"""Hears Redis ring when auth_service has told something: only a hint, which may be lost."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

from service_kit.redis_client import connect

if TYPE_CHECKING:
    from redis.client import PubSub

CHANNEL: Final = "auth.events"
PING_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0


class Bell:
    """A subscription that is made again whenever it is lost."""

    def __init__(self) -> None:
        self._subscription: PubSub | None = None
        self._heard_at = self._pinged_at = 0.0

    def wait(self, seconds: float) -> bool:
        """Return soon after a ring, or after so many seconds; whether something may be new.

        Without Redis it only waits. What rang before a subscription may have been missed: a new
        one counts as a ring.
        """
        began = time.monotonic()
        try:
            return self._wait(seconds)
        except (RedisError, OSError):
            self._lose()
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            return False

    def _wait(self, seconds: float) -> bool:
        if self._subscription is None:
            self._subscribe()
            return True
        now = time.monotonic()
        if now - self._heard_at > SILENCE_SECONDS:
            raise TimeoutError
        if now - self._pinged_at > PING_SECONDS:
            self._pinged_at = now
            self._subscription.ping()
        rings, heard = False, self._subscription.get_message(timeout=seconds)
        # However often it has rung by now, once is enough.
        while heard is not None:
            self._heard_at = time.monotonic()
            rings = rings or heard["type"] == "message"
            heard = self._subscription.get_message(timeout=0)
        return rings

    def _subscribe(self) -> None:
        subscription: PubSub = connect().pubsub()  # type: ignore[no-untyped-call]
        subscription.subscribe(CHANNEL)
        self._subscription = subscription
        self._heard_at = self._pinged_at = time.monotonic()

    def _lose(self) -> None:
        if self._subscription is not None:
            with suppress(RedisError, OSError):
                self._subscription.close()
            self._subscription = None
