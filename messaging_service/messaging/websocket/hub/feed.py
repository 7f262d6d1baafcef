"""What is told in one channel: in the order of positions, once, to each local seat that may know.

A feed stands at the position it told last. The next event is told, a known one dropped, one that
comes too early held until what is before it has come or was read from Postgres.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import orjson

from messaging.broadcast import Envelope
from messaging.permissions import Window
from messaging.queries.changes import Refill
from messaging.websocket.frames import Frame
from messaging.websocket.hub.arrivals import Arrivals
from messaging.websocket.hub.incoming import Incoming
from messaging.websocket.hub.seats import Owner, Seat, Told
from messaging.websocket.hub.streams import Stream
from messaging.websocket.hub.telling import Telling
from messaging.websocket.hub.typists import Typists

# After these something more happens to seats than to be told.
TURNING_POINTS: Final = frozenset({"member.left", "room.added"})
# These are looked at one by one, and so never joined with others.
APART: Final = TURNING_POINTS | {"me.changed", "unread"}


class Feed:
    """One channel's local seats; `pos` is None until the first of them brings a position."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        # Which part of the audit's cycle is its own.
        self.turn = hash(stream)
        self.pos: int | None = None
        self.seats: dict[Seat, None] = {}
        self.owners: dict[Owner, None] = {}
        self.is_refilling = False
        self.is_resting = False
        self._roster_now: tuple[Seat, ...] | None = None
        self.incoming = Incoming()
        self._ready: list[Told] = []
        self._telling = Telling(room_again=self.advance)
        self._typists = Typists(self._tell)
        # Every seat may see messages from this seq on, and none has heard anything beyond that pos.
        self._seen_by_all_from = 0
        self._furthest = 0
        self._arrivals = Arrivals()

    # ---- what comes from Redis -------------------------------------------------------------------

    def take(self, envelope: Envelope, *, as_of: int = 0) -> None:
        """Keep what is new until `advance`.

        A passing event waits until the feed has come to `as_of`: who was removed before that must
        not hear it.
        """
        if envelope.pos == 0:
            if self.pos is not None:
                self.incoming.hold_passing(envelope, as_of=as_of)
                self._release_passing(self.pos)
        elif self.pos is None:
            if self._arrivals.is_anybody_expected:
                self.incoming.hold(envelope, is_next=False)
        elif envelope.pos > self.pos:
            self.incoming.hold(envelope, is_next=envelope.pos == self.pos + 1)

    def advance(self) -> bool:
        """Tell what has come, as far as there is no gap; joined, where all hear the same.

        Whether there was anything to tell.
        """
        if self.pos is not None and not self.is_refilling:
            while not self._telling.is_full and (told := self.incoming.next_after(self.pos)):
                self._go(told)
            self._release_passing(self.pos)
        return self._tell_ready()

    @property
    def has_gap(self) -> bool:
        """Whether something waits for what has not come."""
        return self.pos is not None and self.incoming.has_gap_after(self.pos)

    def _release_passing(self, pos: int) -> None:
        for envelope in self.incoming.passing_at(pos):
            self._typists.watch(envelope)
            self._ready.append(envelope)

    def _go(self, told: Told) -> None:
        self.pos = told.pos
        self._ready.append(told)
        self._arrivals.note(told)

    # ---- telling ---------------------------------------------------------------------------------

    def _tell_ready(self) -> bool:
        if not self._ready:
            # Nor is the roster counted again: a thousand who come one by one would do so each time.
            return False
        ready, self._ready = self._ready, []
        roster = self._roster
        if len(ready) > 1 and not any(map(self._is_particular, ready)):
            passing = not any(told.pos for told in ready)
            frame = Frame(*[told.text for told in ready], is_passing=passing)
            self._telling.tell(frame, roster)
        else:
            for told in ready:
                self._tell(told)
        return True

    def _is_particular(self, told: Told) -> bool:
        """Whether it is not for every seat, or does more than to be told."""
        return (
            bool(told.author_id)
            or 0 < told.seq < self._seen_by_all_from
            or 0 < told.pos <= self._furthest
            or told.kind in APART
        )

    def _tell(self, told: Told) -> None:
        frame, roster = Frame(told.text, kind=told.kind, is_passing=not told.pos), self._roster
        if not self._is_particular(told):
            self._telling.tell(frame, roster)
            return
        seats = [seat for seat in roster if seat.may_hear(told)]
        then = partial(self._turn, told, seats) if told.kind in TURNING_POINTS else None
        self._telling.tell(frame, seats, then=then)

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
            seat.owner.ended(self.stream)

    # ---- who hears it ----------------------------------------------------------------------------

    def arriving(self) -> AbstractContextManager[None]:
        """Remember what is told meanwhile, for whoever reads where he begins, and then joins."""
        return self._arrivals.expect(self.pos or 0)

    def join(self, seat: Seat) -> bool:
        """Tell the seat all that is after its cursor, from this step of the loop on.

        False, and nothing is done, if too much was told meanwhile: read again from the cursor.
        """
        if self.pos is None:
            self._begin(seat.cursor)
        remembered = self._arrivals.since(seat.cursor)
        if remembered is None:
            return False
        missed = [told for told in remembered if seat.may_hear(told)]
        seat.is_live = True
        self.seats[seat] = None
        self._roster_now = None
        self._furthest = max(self._furthest, seat.cursor)
        for told in missed:
            then = partial(self._turn, told, [seat]) if told.kind in TURNING_POINTS else None
            self._telling.tell(Frame(told.text, kind=told.kind), [seat], then=then)
        self.advance()
        return True

    def _begin(self, pos: int) -> None:
        self.pos = pos
        self._arrivals.begin(pos)
        self._forget_known(self.pos)

    def leave(self, seat: Seat) -> None:
        """Tell this seat nothing more; once is enough."""
        seat.is_live = False
        if seat in self.seats:
            del self.seats[seat]
            self._roster_now = None

    @property
    def _roster(self) -> tuple[Seat, ...]:
        """The seats, counted again only when somebody came, left or may see something else."""
        if self._roster_now is None:
            self._roster_now = tuple(self.seats)
            windows = (seat.window.visible_from_seq for seat in self._roster_now)
            self._seen_by_all_from = max(windows, default=0)
        return self._roster_now

    # ---- what is read from Postgres --------------------------------------------------------------

    def apply(self, refill: Refill) -> None:
        """Tell a page of what was missed, each seat what it may know by its window of that moment.

        Who was removed hears no more; who was removed and added again starts over, and so does
        everybody where too much was missed.
        """
        assert self.pos is not None
        renewed = self._renew(refill.windows)
        if renewed:
            began = (seat.window.joined_pos for seat, _ in renewed)
            self._furthest = max(self._furthest, refill.pos, *began)
        for event in refill.events:
            if event.pos > self.pos:
                self._go(event)
        self.pos = max(self.pos, refill.pos)
        self._forget_known(self.pos)
        self._release_passing(self.pos)
        self._tell_ready()
        then = partial(self._after_renewal, renewed, refill)
        self._telling.tell(None, (), then=then)

    def _renew(self, windows: dict[str, Window]) -> list[tuple[Seat, Window]]:
        """Give each seat its window; returns those whose window changed, with the old one."""
        renewed = []
        for seat in self._roster:
            window = windows.get(seat.user_id, seat.window)
            if window != seat.window:
                renewed.append((seat, seat.window))
                seat.window = window
        if renewed:
            self._roster_now = None
        return renewed

    def _after_renewal(self, renewed: Sequence[tuple[Seat, Window]], refill: Refill) -> None:
        begun_again = [] if refill.is_complete else list(self._roster)
        for seat, before in renewed:
            left = seat.window.left_pos
            if left is not None and left <= refill.pos:
                self._end(seat)
            elif left is None and seat.window.joined_pos != before.joined_pos:
                begun_again.append(seat)
        for seat in begun_again:
            if seat.is_live:
                seat.owner.renewed(self.stream, refill.pos)

    def give_up_the_slow(self) -> None:
        """Let those who cannot take the next page yet catch up by themselves."""
        assert self.pos is not None
        self._telling.tell(None, (), then=partial(self._give_up_the_slow, self.pos))

    def _give_up_the_slow(self, pos: int) -> None:
        for seat in self._roster:
            if seat.outlet.is_loaded:
                self.leave(seat)
                seat.owner.behind(self.stream, pos)

    async def everybody_told(self) -> None:
        """Return when nothing waits to be told to a part of the seats."""
        await self._telling.done()

    def _forget_known(self, pos: int) -> None:
        self.incoming.forget([held for held in self.incoming.positions if held <= pos])

    def close(self) -> None:
        self._typists.close()
        self._telling.close()
