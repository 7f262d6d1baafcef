"""Keeps what is told of a person from going back, where two processes' publishes crossed."""

from time import monotonic
from typing import Final

# Longer than any publish waits.
MEMORY_SECONDS: Final = 60.0


class Newest:
    """Remembers the number of what was told of each person last, for a minute."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, float]] = {}

    def admits(self, subject: tuple[str, int]) -> bool:
        """Whether nothing newer was admitted of this person; a number of 0 always is."""
        user_id, number = subject
        if not number:
            return True
        now = monotonic()
        self._forget(now - MEMORY_SECONDS)
        newest, _ = self._told.pop(user_id, (0, now))
        self._told[user_id] = (max(number, newest), now)
        return number >= newest

    def _forget(self, before: float) -> None:
        """They lie in the order of their times."""
        while self._told:
            user_id = next(iter(self._told))
            if self._told[user_id][1] >= before:
                break
            del self._told[user_id]
