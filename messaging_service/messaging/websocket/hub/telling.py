"""Telling many sockets in turn, without keeping the others of the process waiting."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import Counter

from messaging.websocket.frames import Frame
from messaging.websocket.hub.seats import Seat

logger: Final = logging.getLogger(__name__)

# Sockets that are told between two turns of the loop: 250 writes take about a millisecond.
CHUNK: Final = 250
MOST_WAITING: Final = 64

_frames: Final = Counter("parley_frames_told_total", "Events, once for each socket they went to.")

After = Callable[[], None]


class Telling:
    """Hands frames to seats in the order of the calls: at once, or in chunks where they are many.

    `room_again` is called when what waited has been told.
    """

    def __init__(self, *, room_again: Callable[[], object]) -> None:
        self._room_again = room_again
        self._waiting: deque[tuple[Frame | None, Sequence[Seat], After | None]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= MOST_WAITING

    def tell(
        self, frame: Frame | None, seats: Sequence[Seat], *, then: After | None = None
    ) -> None:
        """Tell these seats, and then do something."""
        if self._task is None and len(seats) <= CHUNK:
            _hand(frame, seats)
            if then is not None:
                then()
            return
        self._waiting.append((frame, seats, then))
        if self._task is None:
            self._task = asyncio.create_task(self._tell_waiting())

    def close(self) -> None:
        """Call nobody any more."""
        self._room_again = lambda: None

    async def done(self) -> None:
        """Return when all has been told that was waiting."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _tell_waiting(self) -> None:
        try:
            while self._waiting:
                frame, seats, then = self._waiting.popleft()
                for start in range(0, len(seats), CHUNK):
                    _hand(frame, seats[start : start + CHUNK])
                    await asyncio.sleep(0)
                if then is not None:
                    then()
        finally:
            self._task = None
        self._room_again()


def _hand(frame: Frame | None, seats: Sequence[Seat]) -> None:
    if frame is None:
        return
    _frames.inc(len(frame.texts) * len(seats))
    for seat in seats:
        if seat.is_live:
            try:
                seat.outlet.send(frame)
            except Exception:
                logger.exception("One socket could not be told.")
