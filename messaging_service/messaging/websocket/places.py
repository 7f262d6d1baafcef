"""Where one socket listens: the feeds it has open, and its seats in those where it is live."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import orjson

from messaging.permissions import Window
from messaging.queries.changes import Changes
from messaging.queries.positions import Standing
from messaging.websocket.background import Background
from messaging.websocket.catching_up import CatchingUp, synced
from messaging.websocket.hub import hub
from messaging.websocket.hub.seats import Seat
from messaging.websocket.hub.streams import RoomStream, Stream
from messaging.websocket.outlets import Outlet

if TYPE_CHECKING:
    from messaging.websocket.hub.feed import Feed

# Before reading again, where too much came in while it was read.
RETRY_SECONDS: Final = 0.05

PERSONAL: Final = Window(0, 0, None)


class Places:
    """The feeds one socket listens to; in each it is live, or behind and catching up.

    `left` is called with a room when its membership is over; `failed` when a catch-up could not be
    read, and the socket must not go on as if nothing was missing; `sent_away` when all it was told
    means nothing any more.
    """

    def __init__(
        self,
        *,
        user_id: str,
        outlet: Outlet,
        left: Callable[[int], None],
        failed: Callable[[Exception], None],
        sent_away: Callable[[], None],
    ) -> None:
        self.epoch = ""
        self.user_id = user_id
        self.outlet = outlet
        # Held by who catches up here.
        self.one_at_a_time = asyncio.Lock()
        self._left = left
        self._failed = failed
        self._sent_away = sent_away
        self._feeds: dict[Stream, Feed] = {}
        self._seats: dict[Stream, Seat] = {}
        self._is_closed = False
        self._background = Background()

    # ---- being somewhere -------------------------------------------------------------------------

    async def open(self, streams: Iterable[Stream]) -> None:
        """Listen to what is not listened to yet; nothing is told before `sit`."""
        new = [stream for stream in streams if stream not in self._feeds]
        feeds = await hub().open(new, self)
        self._feeds.update(zip(new, feeds, strict=True))

    @contextmanager
    def arriving(self, streams: Iterable[Stream] | None = None) -> Iterator[None]:
        """Be live in none of these, or nowhere; all that is told in here reaches who sits down."""
        with ExitStack() as arrivals:
            for stream in self._feeds if streams is None else streams:
                arrivals.enter_context(self._feeds[stream].arriving())
                self._stand_up(stream)
            yield

    def sit(self, stream: Stream, *, window: Window = PERSONAL, pos: int) -> None:
        """Be live from a position on; where too much came meanwhile, catch up first."""
        seat = Seat(
            user_id=self.user_id,
            outlet=self.outlet,
            window=window,
            cursor=pos,
            owner=self,
        )
        if not self._feeds[stream].join(seat):
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.follow, stream, pos)
        elif seat.is_live:
            self._seats[stream] = seat

    def sit_or_follow(self, standing: Standing) -> None:
        """Be live in a room where it stands now; one that was not listened to is followed."""
        stream = RoomStream(standing.room_id)
        if stream in self._feeds:
            self.sit(stream, window=standing.window, pos=standing.pos)
        else:
            self.follow(stream, standing.pos)

    def follow(self, stream: Stream, pos: int) -> None:
        """Catch up from a position on without having been asked, and be live from there."""
        if self._is_closed:
            return
        self._stand_up(stream)
        catching_up = CatchingUp(self, is_asked=False)
        if isinstance(stream, RoomStream):
            work = catching_up.in_rooms({stream.room_id: pos})
        else:
            work = catching_up.personally(pos)
        self._background.start(work, failed=self._failed)

    def position_in(self, room_id: int) -> int | None:
        feed = self._feeds.get(RoomStream(room_id))
        return feed.pos if feed else None

    def close(self) -> None:
        self._is_closed = True
        self._background.cancel()
        for stream, seat in self._seats.items():
            self._feeds[stream].leave(seat)
        hub().release(self._feeds.values(), self)
        self._feeds, self._seats = {}, {}

    def _stand_up(self, stream: Stream) -> None:
        """Hear nothing live there any more."""
        if seat := self._seats.pop(stream, None):
            self._feeds[stream].leave(seat)

    def _drop(self, stream: Stream) -> None:
        self._stand_up(stream)
        if feed := self._feeds.pop(stream, None):
            hub().release([feed], self)

    # ---- what happens to a seat, as the hub says it ----------------------------------------------

    def ended(self, stream: Stream) -> None:
        self._drop(stream)
        if isinstance(stream, RoomStream):
            self._left(stream.room_id)

    def behind(self, stream: Stream, pos: int) -> None:
        self.follow(stream, pos)

    def renewed(self, stream: Stream, pos: int) -> None:
        changes = Changes([], pos, complete=False)
        self.outlet.send(synced(stream, changes, epoch=self.epoch))

    def added(self, text: bytes) -> None:
        room = orjson.loads(text)
        self.follow(RoomStream(room["id"]), room["pos"])

    def add_if_new(self, text: bytes) -> None:
        """Follow a room that nobody told live of; one listened to already goes on as it is."""
        if RoomStream(orjson.loads(text)["id"]) not in self._feeds:
            self.added(text)

    def send_away(self) -> None:
        self._is_closed = True
        self._sent_away()
