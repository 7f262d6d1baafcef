"""Redis as the doorbell it is, made worse: what is published is told, told late, or lost."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from unittest.mock import patch

from messaging.broadcast import publisher
from messaging.events import Event

SECONDS = 5.0


class Fate(Enum):
    TOLD = "told"
    LATE = "late"
    LOST = "lost"


class Doorbell:
    """Holds what is published until somebody says what becomes of it."""

    def __init__(self) -> None:
        self._published = threading.Condition()
        self._held: list[Event] = []
        self._late: list[Event] = []
        self._ring = publisher().publish

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Stand between this process's actions and its real publisher."""
        with patch.object(publisher(), "publish", self._hold):
            yield

    def decide(self, fates: Sequence[Fate]) -> None:
        """Say what becomes of what an act has published, or will soon; the last fate is for all."""
        with self._published:
            assert self._published.wait_for(lambda: self._held, SECONDS), "nothing was published"
            events, self._held = self._held, []
        for number, event in enumerate(events):
            fate = fates[min(number, len(fates) - 1)]
            if fate is Fate.TOLD:
                self._ring([event])
            elif fate is Fate.LATE:
                self._late.append(event)

    def tell_late(self) -> None:
        """Tell what was held up, the newest first."""
        events, self._late = self._late[::-1], []
        for event in events:
            self._ring([event])

    def _hold(self, events: Sequence[Event]) -> None:
        with self._published:
            self._held += events
            self._published.notify_all()
