"""What is told while somebody is on his way in, remembered for him."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from messaging.websocket.hub.seats import Told

MOST_REMEMBERED: Final = 1_000


class Arrivals:
    """Remembers what a feed tells as long as somebody reads where he begins; else nothing."""

    def __init__(self) -> None:
        self._expected = 0
        self._told: list[Told] = []
        self._from = 0

    @property
    def is_anybody_expected(self) -> bool:
        return self._expected > 0

    @contextmanager
    def expect(self, pos: int) -> Iterator[None]:
        """Remember everything after `pos`, where the feed stands now, or since an earlier call."""
        if not self._expected:
            self._from = pos
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1
            if not self._expected:
                self._told = []

    def begin(self, pos: int) -> None:
        """The feed begins here: what was before that, nobody remembers."""
        self._from = pos

    def note(self, told: Told) -> None:
        """Remember an event, if anybody is expected; too many are forgotten all together."""
        if not self._expected:
            return
        if len(self._told) < MOST_REMEMBERED:
            self._told.append(told)
        else:
            self._told, self._from = [], told.pos

    def since(self, pos: int) -> Sequence[Told] | None:
        """What was told after a position, or None if that is not remembered any more."""
        return None if pos < self._from else self._told
