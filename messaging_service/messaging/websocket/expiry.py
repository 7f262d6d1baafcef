"""A socket lives as long as what opened it, or what renewed it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from service_kit.tokens import LEEWAY_SECONDS, Claims

WARNING_SECONDS: Final = 60


class Expiry:
    """Warns of a token's end a minute before, and says when it has come."""

    def __init__(self) -> None:
        self._timers: list[asyncio.TimerHandle] = []

    def follow(
        self, claims: Claims, *, warn: Callable[[int], None], end: Callable[[], None]
    ) -> None:
        """From now on it is this token that counts; `warn` gets the seconds left."""
        self.cancel()
        left = claims.expires_at - time.time()
        warning = min(WARNING_SECONDS, int(left))
        later = asyncio.get_running_loop().call_later
        self._timers = [later(max(0.0, left + LEEWAY_SECONDS), end)]
        if warning > 0:
            self._timers.append(later(max(0.0, left - WARNING_SECONDS), warn, warning))

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
