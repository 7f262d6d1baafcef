"""How much of somebody's typing others are told of."""

from time import monotonic
from typing import Final

from messaging.permissions.limits.bucket import Bucket

AGAIN_AFTER_SECONDS: Final = 1.0
CHANGES_PER_SECOND: Final = 2
CHANGE_BURST: Final = 10
MOST_REMEMBERED: Final = 10_000

Typist = tuple[str, int]
"""Whose typing it is, and in which room."""


class TypingLimit:
    """What was told a moment ago is not told again, nor a change of mind twice a second for long.

    Each telling costs as much as the room has sockets, and none is promised. It is kept by each
    process for itself, and only of those who were told of: who may not is refused each time.
    """

    def __init__(self) -> None:
        self._told: dict[Typist, tuple[bool, float, Bucket]] = {}

    def is_too_much(self, who: Typist, *, is_typing: bool) -> bool:
        """Whether telling it now may be left out; whether it is told or not, that counts."""
        if who not in self._told:
            return False
        before, at, bucket = self._told[who]
        if before == is_typing:
            return monotonic() < at + AGAIN_AFTER_SECONDS
        return bool(bucket.take())

    def told(self, who: Typist, *, is_typing: bool) -> None:
        """It was told."""
        if len(self._told) > MOST_REMEMBERED:
            self._told.clear()
        *_, bucket = self._told.get(who) or (_new_bucket(),)
        self._told[who] = is_typing, monotonic(), bucket


def _new_bucket() -> Bucket:
    return Bucket(per_second=CHANGES_PER_SECOND, burst=CHANGE_BURST)
