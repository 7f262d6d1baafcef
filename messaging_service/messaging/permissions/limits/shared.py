"""What one person may do in all processes together."""

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

from prometheus_client import Counter, Gauge

from messaging.errors import RateLimited
from messaging.permissions.limits.bucket import Bucket, Given
from messaging.permissions.limits.redis_buckets import RedisBuckets

logger: Final = logging.getLogger(__name__)

_alone: Final = Gauge(
    "parley_limit_counts_alone", "1 while a limit is counted without Redis.", ["limit"]
)

_refused: Final = Counter(
    "parley_limit_refusals_total",
    "What came too fast, by limit; sends are in parley_sends_total.",
    ["limit"],
)

PAUSE_SECONDS: Final = 1.0
MOST_REMEMBERED: Final = 10_000


class SharedLimit:
    """One bucket for each user, the same for all processes; safe to use from many threads.

    With Redis away or slow this process counts for itself for a second: a limit never refuses
    because of Redis, and waits for it 0.2 s at most.
    """

    def __init__(self, name: str, *, per_second: float, burst: int) -> None:
        self._refused = _refused.labels(name)
        self._per_second = per_second
        self._burst = burst
        self._redis = RedisBuckets(name, per_second=per_second, burst=burst)
        self._lock = threading.Lock()
        self._own: dict[str, Bucket] = {}
        self._empty_until: dict[str, float] = {}
        self._alone_until = 0.0
        _alone.labels(name).set_function(lambda: float(self.is_alone))

    def take(self, user_id: str) -> None:
        """Take one; raises RateLimited."""
        wait = self.known_wait(user_id)
        if not wait:
            given, wait = self.ask({user_id: 1})()[user_id]
            if given:
                return
        self._refused.inc()
        raise RateLimited(wait)

    def known_wait(self, user_id: str) -> float:
        """The seconds for which this user's bucket is known to be empty, without asking."""
        until = self._empty_until.get(user_id)
        return 0.0 if until is None else max(0.0, until - monotonic())

    def ask(self, asked: Mapping[str, int]) -> Callable[[], dict[str, Given]]:
        """Take some for each user, in one round trip; the answer is read by calling the result.

        Until then there is time for something else. It is read once, by the thread that asked, and
        before it asks again. Nothing raises.
        """
        began = monotonic()
        was_asked = self._ask(asked)

        def answer() -> dict[str, Given]:
            given = self._read(asked) if was_asked else self._take_here(asked)
            self._remember(began, asked, given)
            return given

        return answer

    @property
    def is_alone(self) -> bool:
        """Whether this process counts for itself, because Redis failed a moment ago."""
        return monotonic() < self._alone_until

    def _ask(self, asked: Mapping[str, int]) -> bool:
        """Whether Redis was asked."""
        if self.is_alone:
            return False
        try:
            self._redis.ask(asked)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, somebody is waiting.
            self._leave(error)
            return False
        return True

    def _read(self, asked: Mapping[str, int]) -> dict[str, Given]:
        try:
            return self._redis.read(asked)
        except Exception as error:  # noqa: BLE001 - as above.
            self._leave(error)
            return self._take_here(asked)

    def _leave(self, error: Exception) -> None:
        self._redis.forget()
        self._alone_until = monotonic() + PAUSE_SECONDS
        logger.warning("Counting alone for a moment: %s", type(error).__name__)

    def _take_here(self, asked: Mapping[str, int]) -> dict[str, Given]:
        with self._lock:
            return {user_id: self._bucket(user_id).give(n) for user_id, n in asked.items()}

    def _bucket(self, user_id: str) -> Bucket:
        if len(self._own) > MOST_REMEMBERED:
            self._own.clear()
        return self._own.setdefault(user_id, Bucket(per_second=self._per_second, burst=self._burst))

    def _remember(self, began: float, asked: Mapping[str, int], answer: dict[str, Given]) -> None:
        if len(self._empty_until) > MOST_REMEMBERED:
            self._empty_until.clear()
        for user_id, (given, wait) in answer.items():
            if given < asked[user_id]:
                self._empty_until[user_id] = began + wait
