"""What came from Redis and waits for its turn."""

from collections.abc import Iterable
from typing import Final

from messaging.broadcast import Envelope

MOST_HELD: Final = 1_000


class Incoming:
    """Durable events by their position; passing ones until the feed stands where they were made.

    What is too much to hold is read from Postgres later.
    """

    def __init__(self) -> None:
        self._held: dict[int, Envelope] = {}
        self._passing: list[tuple[int, Envelope]] = []

    def hold(self, envelope: Envelope, *, is_next: bool) -> None:
        """Keep a durable event; the one that fills a gap has room in any case."""
        if is_next or not self.is_overfull:
            self._held[envelope.pos] = envelope

    def hold_passing(self, envelope: Envelope, *, as_of: int) -> None:
        if len(self._passing) < MOST_HELD:
            self._passing.append((as_of, envelope))

    def next_after(self, pos: int) -> Envelope | None:
        """Give out the event that comes right after a position, if it is here."""
        return self._held.pop(pos + 1, None)

    def passing_at(self, pos: int) -> list[Envelope]:
        """Give out the passing events that may be told at a position."""
        given = [envelope for as_of, envelope in self._passing if as_of <= pos]
        if given:
            self._passing = [held for held in self._passing if held[0] > pos]
        return given

    def has_gap_after(self, pos: int) -> bool:
        """Whether something waits for what has not come."""
        return pos + 1 not in self._held and bool(self._held or self._passing)

    @property
    def is_overfull(self) -> bool:
        return len(self._held) >= MOST_HELD

    @property
    def positions(self) -> list[int]:
        return list(self._held)

    def forget(self, positions: Iterable[int]) -> None:
        for pos in positions:
            self._held.pop(pos, None)

    def forget_passing(self) -> None:
        self._passing.clear()
