"""A socket lives as long as what opened it, or what renewed it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from service_kit.tokens import LEEWAY_SECONDS, Claims

WARNING_SECONDS: Final = 60


class Expiry:
    """Calls `warn` with the seconds left a minute before a token's end, and `end` at it."""

    def __init__(self, *, warn: Callable[[int], None], end: Callable[[], None]) -> None:
        self._warn = warn
        self._end = end
        self._timers: list[asyncio.TimerHandle] = []

    def follow(self, claims: Claims) -> None:
        """From now on it is this token that counts."""
        self.cancel()
        left = claims.expires_at - time.time()
        warning = min(WARNING_SECONDS, int(left))
        later = asyncio.get_running_loop().call_later
        self._timers = [later(max(0.0, left + LEEWAY_SECONDS), self._end)]
        if warning > 0:
            self._timers.append(later(max(0.0, left - WARNING_SECONDS), self._warn, warning))

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
