"""Notices that the process stood still, before anything more goes out: much may have happened."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 2.0


class Standstill:
    """Calls `went_on` before whatever comes first after two seconds without a turn of the loop."""

    def __init__(self) -> None:
        self.until = float("inf")
        self.went_on: Callable[[], None] = lambda: None

    def check(self) -> None:
        """Cheaper where it is not due: `if monotonic() > standstill.until: standstill.check()`."""
        now = monotonic()
        if now > self.until:
            self.until = now + LONGEST_SECONDS
            self.went_on()

    async def watch(self) -> None:
        """Notice it from here on, until cancelled."""
        try:
            while True:
                self.check()
                self.until = monotonic() + LONGEST_SECONDS
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            self.until = float("inf")


standstill: Final = Standstill()
