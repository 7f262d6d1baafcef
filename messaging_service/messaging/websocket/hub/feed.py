"""What is told in one channel, in the order of positions, once, without gaps.

A feed stands at the position it told last. The next event is told, a known one dropped, one that
comes too early held until what is before it has come or was read from Postgres.
"""

from contextlib import AbstractContextManager

from messaging.broadcast import Envelope
from messaging.queries.changes import Refill
from messaging.websocket.hub.arrivals import Arrivals
from messaging.websocket.hub.incoming import Incoming
from messaging.websocket.hub.roster import Roster
from messaging.websocket.hub.seats import Owner, Seat, Told
from messaging.websocket.hub.streams import Stream
from messaging.websocket.hub.telling import Telling
from messaging.websocket.hub.typists import Typists


class Feed:
    """One channel's local seats; `pos` is None until the first of them brings a position."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        # Which part of the audit's cycle is its own.
        self.turn = hash(stream)
        self.pos: int | None = None
        self.owners: dict[Owner, None] = {}
        self.is_refilling = False
        self.is_resting = False
        self.incoming = Incoming()
        self._ready: list[Told] = []
        self._telling = Telling(room_again=self.advance)
        self.seats = Roster(stream, self._telling)
        self._typists = Typists(self.seats.tell)
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

    def _tell_ready(self) -> bool:
        if not self._ready:
            # Nor is the roster counted again: a thousand who come one by one would do so each time.
            return False
        ready, self._ready = self._ready, []
        self.seats.tell_all(ready)
        return True

    # ---- who comes and goes ----------------------------------------------------------------------

    def arriving(self) -> AbstractContextManager[None]:
        """Remember what is told meanwhile, for whoever reads where he begins, and then joins."""
        return self._arrivals.expect(self.pos or 0)

    def join(self, seat: Seat) -> bool:
        """Tell the seat all that is after its cursor, from this step of the loop on.

        False, and nothing is done, if too much was told meanwhile: read again from the cursor.
        """
        if self.pos is None:
            self._begin(seat.cursor)
        told = self._arrivals.since(seat.cursor)
        if told is None:
            return False
        self.seats.join(seat, told)
        self.advance()
        return True

    def _begin(self, pos: int) -> None:
        self.pos = pos
        self._arrivals.begin(pos)
        self._forget_known(pos)

    def leave(self, seat: Seat) -> None:
        """Tell this seat nothing more; once is enough."""
        self.seats.leave(seat)

    # ---- what is read from Postgres --------------------------------------------------------------

    def apply(self, refill: Refill) -> None:
        """Tell a page of what was missed: each seat what it might know at that moment."""
        assert self.pos is not None
        renewed = self.seats.renew(refill)
        for event in refill.events:
            if event.pos > self.pos:
                self._go(event)
        self.pos = max(self.pos, refill.pos)
        self._forget_known(self.pos)
        self._release_passing(self.pos)
        self._tell_ready()
        self.seats.start_over(renewed, refill)

    def give_up_the_slow(self) -> None:
        """Let those who cannot take the next page yet catch up by themselves."""
        assert self.pos is not None
        self.seats.give_up_the_slow(self.pos)

    async def everybody_told(self) -> None:
        """Return when nothing waits to be told to a part of the seats."""
        await self._telling.done()

    def _forget_known(self, pos: int) -> None:
        self.incoming.forget([held for held in self.incoming.positions if held <= pos])

    def close(self) -> None:
        self._typists.close()
        self._telling.close()
