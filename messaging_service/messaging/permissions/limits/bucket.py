"""A bucket of tokens that only one process sees."""

from time import monotonic
from typing import Final

# What is nearly there is there: sums of fractions are never quite whole.
_NEARLY: Final = 0.001

Given = tuple[int, float]
"""How many of what was asked, and the seconds until there is one more."""


class Bucket:
    """Holds `burst` tokens at most, and gets `per_second` new ones.

    Kept as the moment at which it will be full again (GCRA): nothing has to fill it.
    """

    __slots__ = ("_burst", "_each", "_full_at")

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._each = 1 / per_second
        self._burst = burst
        self._full_at = 0.0

    def take(self) -> float:
        """Take one: 0.0, or the seconds to wait if there is none."""
        given, wait = self.give(1)
        return 0.0 if given else wait

    def give(self, asked: int) -> Given:
        """Take as many as there are of what is asked."""
        now = monotonic()
        full_at = max(now, self._full_at)
        left = int((now - full_at) / self._each + self._burst + _NEARLY)
        given = max(0, min(asked, left))
        self._full_at = full_at + given * self._each
        return given, max(0.0, self._full_at + self._each - now - self._burst * self._each)
