"""Who hears what is told in one feed, and what becomes of him by it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import orjson

from messaging.permissions import Window
from messaging.queries.changes import Refill
from messaging.websocket.frames import Frame
from messaging.websocket.hub.seats import Seat, Told
from messaging.websocket.hub.streams import Stream
from messaging.websocket.hub.telling import Telling

# After these something more happens to seats than to be told.
TURNING_POINTS: Final = frozenset({"member.left", "room.added"})
# These are looked at one by one, and so never joined with others.
APART: Final = TURNING_POINTS | {"me.changed", "unread"}

# Seats that were given another window, each with the one before.
Renewed = Sequence[tuple[Seat, Window]]


class Roster:
    """The live seats of a feed; each is told what it may know, and moved where that says so."""

    def __init__(self, stream: Stream, telling: Telling) -> None:
        self._stream = stream
        self._telling = telling
        self._seats: dict[Seat, None] = {}
        self._everybody_now: tuple[Seat, ...] | None = None
        # Every seat may see messages from this seq on, and none has heard anything beyond that pos.
        self._seen_by_all_from = 0
        self._furthest = 0

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats)

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def _everybody(self) -> tuple[Seat, ...]:
        """The seats, counted again only when somebody came, left or may see something else.

        With them is counted what all may see: ask this before `_is_particular`.
        """
        if self._everybody_now is None:
            self._everybody_now = tuple(self._seats)
            windows = (seat.window.visible_from_seq for seat in self._everybody_now)
            self._seen_by_all_from = max(windows, default=0)
        return self._everybody_now

    # ---- coming and going ------------------------------------------------------------------------

    def join(self, seat: Seat, told: Iterable[Told]) -> None:
        """Tell the seat all that comes from here on, after what it missed of this."""
        missed = [each for each in told if seat.may_hear(each)]
        seat.is_live = True
        self._seats[seat] = None
        self._everybody_now = None
        self._furthest = max(self._furthest, seat.cursor)
        for each in missed:
            self._tell_some([seat], each, Frame(each.text, kind=each.kind))

    def leave(self, seat: Seat) -> None:
        """Tell this seat nothing more; once is enough."""
        seat.is_live = False
        if seat in self._seats:
            del self._seats[seat]
            self._everybody_now = None

    # ---- telling ---------------------------------------------------------------------------------

    def tell_all(self, events: Sequence[Told]) -> None:
        """Tell these in order; joined, where all hear the same."""
        if len(events) == 1 or not self._tell_joined(events):
            for told in events:
                self.tell(told)

    def _tell_joined(self, events: Sequence[Told]) -> bool:
        everybody = self._everybody
        if any(map(self._is_particular, events)):
            return False
        passing = not any(told.pos for told in events)
        self._telling.tell(Frame(*[told.text for told in events], is_passing=passing), everybody)
        return True

    def tell(self, told: Told) -> None:
        frame = Frame(told.text, kind=told.kind, is_passing=not told.pos)
        everybody = self._everybody
        if self._is_particular(told):
            self._tell_some([seat for seat in everybody if seat.may_hear(told)], told, frame)
        else:
            self._telling.tell(frame, everybody)

    def _tell_some(self, seats: Sequence[Seat], told: Told, frame: Frame) -> None:
        then = partial(self._turn, told, seats) if told.kind in TURNING_POINTS else None
        self._telling.tell(frame, seats, then=then)

    def _is_particular(self, told: Told) -> bool:
        """Whether it is not for every seat, or does more than to be told."""
        return (
            bool(told.author_id or told.hidden_from)
            or 0 < told.seq < self._seen_by_all_from
            or 0 < told.pos <= self._furthest
            or told.kind in APART
        )

    def _turn(self, told: Told, seats: Sequence[Seat]) -> None:
        if told.kind == "member.left":
            left = orjson.loads(told.text)["user_id"]
            for seat in seats:
                if seat.user_id == left:
                    self._end(seat)
        else:
            for seat in seats:
                if seat.is_live:
                    seat.owner.added(told.text)

    def _end(self, seat: Seat) -> None:
        if seat.is_live:
            self.leave(seat)
            seat.owner.ended(self._stream)

    # ---- what is read from Postgres --------------------------------------------------------------

    def renew(self, refill: Refill) -> Renewed:
        """Give each seat its window as it was then, before what was read there is told."""
        renewed = []
        for seat in self._everybody:
            window = refill.windows.get(seat.user_id, seat.window)
            if window != seat.window:
                renewed.append((seat, seat.window))
                seat.window = window
        if renewed:
            self._everybody_now = None
            began = (seat.window.joined_pos for seat, _ in renewed)
            self._furthest = max(self._furthest, refill.pos, *began)
        return renewed

    def start_over(self, renewed: Renewed, refill: Refill) -> None:
        """When all is told: who was removed hears no more, who was added again starts over.

        Where too much was missed, so does everybody.
        """
        self._telling.tell(None, (), then=partial(self._start_over, renewed, refill))

    def _start_over(self, renewed: Renewed, refill: Refill) -> None:
        begun_again = [] if refill.is_complete else list(self._everybody)
        for seat, before in renewed:
            left = seat.window.left_pos
            if left is not None and left <= refill.pos:
                self._end(seat)
            elif left is None and seat.window.joined_pos != before.joined_pos:
                begun_again.append(seat)
        for seat in begun_again:
            if seat.is_live:
                seat.owner.renewed(self._stream, refill.pos)

    def give_up_the_slow(self, pos: int) -> None:
        """When all is told: let those who cannot take more yet catch up by themselves from here."""
        self._telling.tell(None, (), then=partial(self._give_up_the_slow, pos))

    def _give_up_the_slow(self, pos: int) -> None:
        for seat in self._everybody:
            if seat.outlet.is_loaded:
                self.leave(seat)
                seat.owner.behind(self._stream, pos)
