"""Where one socket listens: in each room it is live, or behind and catching up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson

from messaging.errors import NotFound
from messaging.permissions import Window
from messaging.queries.changes import Changes, personal_changes, room_changes
from messaging.queries.positions import Standing
from messaging.websocket.frames import Frame, error_frame, synced_frame
from messaging.websocket.hub import hub
from messaging.websocket.hub.seats import Seat
from messaging.websocket.hub.streams import PersonStream, RoomStream, Stream
from messaging.websocket.outlets import Outlet
from messaging.websocket.threads import in_database_thread
from service_kit.refusals import Refusal

if TYPE_CHECKING:
    from messaging.websocket.hub.feed import Feed

# Rooms that are read at once: each may bring a page of 256 KB.
ROOMS_AT_ONCE: Final = 50
# Before reading again, where too much came in while it was read.
RETRY_SECONDS: Final = 0.05

PERSONAL: Final = Window(0, 0, None)


class Places:
    """The feeds one socket listens to, and its seats in those where it is live.

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
        self._user_id = user_id
        self._outlet = outlet
        self._left = left
        self._failed = failed
        self._sent_away = sent_away
        self._feeds: dict[Stream, Feed] = {}
        self._seats: dict[Stream, Seat] = {}
        self._one_at_a_time = asyncio.Lock()
        self._is_closed = False
        self._work: set[asyncio.Task[None]] = set()

    # ---- being somewhere -------------------------------------------------------------------------

    async def open(self, streams: Iterable[Stream]) -> None:
        """Listen to what is not listened to yet; nothing is told before `sit`."""
        new = [stream for stream in streams if stream not in self._feeds]
        feeds = await hub().open(new, self)
        self._feeds.update(zip(new, feeds, strict=True))

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Everything told in here reaches who reads where it begins, and then sits down."""
        with ExitStack() as arrivals:
            for feed in self._feeds.values():
                arrivals.enter_context(feed.arriving())
            yield

    def sit(self, stream: Stream, *, window: Window = PERSONAL, pos: int) -> None:
        """Be live from a position on; where too much came meanwhile, catch up first."""
        seat = Seat(
            user_id=self._user_id,
            outlet=self._outlet,
            window=window,
            cursor=pos,
            owner=self,
        )
        if not self._feeds[stream].join(seat):
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._follow, stream, pos)
        elif seat.is_live:
            self._seats[stream] = seat

    def sit_or_follow(self, standing: Standing) -> None:
        """Be live in a room where it stands now; one that was not listened to is followed."""
        stream = RoomStream(standing.room_id)
        if stream in self._feeds:
            self.sit(stream, window=standing.window, pos=standing.pos)
        else:
            self._follow(stream, standing.pos)

    def follow_room(self, room_id: int, pos: int) -> None:
        """Listen to a room as well, from a position on, and say when it is caught up."""
        self._follow(RoomStream(room_id), pos)

    def position_in(self, room_id: int) -> int | None:
        feed = self._feeds.get(RoomStream(room_id))
        return feed.pos if feed else None

    def close(self) -> None:
        self._is_closed = True
        for task in self._work:
            task.cancel()
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
        self._follow(stream, pos)

    def renewed(self, stream: Stream, pos: int) -> None:
        self._outlet.send(self._synced(stream, Changes([], pos, complete=False), ref=None))

    def added(self, text: bytes) -> None:
        room = orjson.loads(text)
        self.follow_room(room["id"], room["pos"])

    def send_away(self) -> None:
        self._is_closed = True
        self._sent_away()

    def _add_if_new(self, text: bytes) -> None:
        """Follow a room that nobody told live of; one listened to already goes on as it is."""
        if RoomStream(orjson.loads(text)["id"]) not in self._feeds:
            self.added(text)

    def _follow(self, stream: Stream, pos: int) -> None:
        if self._is_closed:
            return
        self._stand_up(stream)
        if isinstance(stream, RoomStream):
            self._spawn(self.catch_up({stream.room_id: pos}, is_asked=False))
        else:
            self._spawn(self.catch_up_personally(pos, is_asked=False))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def work_or_fail() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - the socket's owner says what becomes of it.
                self._failed(error)

        task = asyncio.create_task(work_or_fail())
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    # ---- catching up -----------------------------------------------------------------------------

    async def catch_up(
        self,
        positions: Mapping[int, int],
        *,
        ref: str | None = None,
        epoch: str | None = None,
        is_asked: bool = True,
    ) -> None:
        """Bring what changed in rooms since these positions, and be live in them from there on.

        Who asked gets a page, and asks again for more; who did not is brought all of it.
        """
        async with self._one_at_a_time:
            left = iter(positions.items())
            while some := dict(islice(left, ROOMS_AT_ONCE)):
                if self._outlet.is_closed:
                    return
                await self._catch_up(some, ref, epoch, is_asked=is_asked)

    async def _catch_up(
        self, positions: Mapping[int, int], ref: str | None, epoch: str | None, *, is_asked: bool
    ) -> None:
        streams = [RoomStream(room_id) for room_id in positions]
        await self.open(streams)
        with self._behind(streams):
            async with hub().catching_up:
                found = await in_database_thread(
                    room_changes, user_id=self._user_id, positions=positions, epoch=epoch
                )
            for room_id, changes in found.rooms.items():
                if changes is None:
                    self._refuse(room_id, NotFound("room"), ref)
                else:
                    await self._bring(RoomStream(room_id), changes, ref, is_asked=is_asked)

    async def catch_up_personally(
        self,
        after: int,
        *,
        ref: str | None = None,
        epoch: str | None = None,
        is_asked: bool = True,
    ) -> None:
        """The same for what is personal to the socket's owner."""
        stream = PersonStream(self._user_id)
        async with self._one_at_a_time:
            with self._behind([stream]):
                async with hub().catching_up:
                    changes = await in_database_thread(
                        personal_changes, user_id=self._user_id, after=after, epoch=epoch
                    )
                await self._bring(stream, changes, ref, is_asked=is_asked)

    @contextmanager
    def _behind(self, streams: Iterable[Stream]) -> Iterator[None]:
        """Hear nothing live there, and miss nothing."""
        with ExitStack() as arrivals:
            for stream in streams:
                arrivals.enter_context(self._feeds[stream].arriving())
                self._stand_up(stream)
            yield

    async def _bring(
        self, stream: Stream, changes: Changes, ref: str | None, *, is_asked: bool
    ) -> None:
        for event in changes.events:
            self._outlet.send(Frame(event.text, kind=event.kind))
        if changes.more and not is_asked:
            self._follow(stream, changes.pos)
        else:
            self._outlet.send(self._synced(stream, changes, ref))
        if not changes.more:
            self.sit(stream, window=changes.window, pos=changes.pos)
        for event in changes.events:
            if event.kind == "room.added":
                self._add_if_new(event.text)
        await self._outlet.drain()

    def _synced(self, stream: Stream, changes: Changes, ref: str | None) -> Frame:
        where = (
            {"room": stream.room_id, "pos": changes.pos}
            if isinstance(stream, RoomStream)
            else {"user_pos": changes.pos}
        )
        return synced_frame(
            ref=ref,
            **where,
            epoch=self.epoch,
            complete=changes.complete,
            more=changes.more,
            reads=None if changes.more else (changes.reads or None),
        )

    def _refuse(self, room_id: int, refusal: Refusal, ref: str | None) -> None:
        self._outlet.send(error_frame(refusal, ref=ref, room_id=room_id))
        self.ended(RoomStream(room_id))
