"""What a socket missed is read from Postgres and brought to it, from behind to live."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from messaging.errors import NotFound
from messaging.queries.changes import Changes, personal_changes, room_changes
from messaging.websocket.frames import Frame, error_frame, synced_frame
from messaging.websocket.hub import hub
from messaging.websocket.hub.streams import PersonStream, RoomStream, Stream
from messaging.websocket.threads import in_database_thread

if TYPE_CHECKING:
    from messaging.websocket.places import Places

# Rooms that are read at once: each may bring a page of 256 KB.
ROOMS_AT_ONCE: Final = 50


class CatchingUp:
    """Brings what changed since some positions; from there on the socket is live.

    Who asked gets a page, and asks again for more; who did not is brought all of it.
    """

    def __init__(
        self,
        places: "Places",
        *,
        ref: str | None = None,
        epoch: str | None = None,
        is_asked: bool = True,
    ) -> None:
        self._places = places
        self._ref = ref
        self._epoch = epoch
        self._is_asked = is_asked

    async def in_rooms(self, positions: Mapping[int, int]) -> None:
        """What changed in each room since its position."""
        async with self._places.one_at_a_time:
            left = iter(positions.items())
            while some := dict(islice(left, ROOMS_AT_ONCE)):
                if self._places.outlet.is_closed:
                    return
                await self._in_some(some)

    async def _in_some(self, positions: Mapping[int, int]) -> None:
        streams = [RoomStream(room_id) for room_id in positions]
        await self._places.open(streams)
        with self._places.arriving(streams):
            async with hub().catching_up:
                found = await in_database_thread(
                    room_changes,
                    user_id=self._places.user_id,
                    positions=positions,
                    epoch=self._epoch,
                )
            for room_id, changes in found.rooms.items():
                if changes is None:
                    self._refuse(room_id)
                else:
                    await self._bring(RoomStream(room_id), changes)

    async def personally(self, after: int) -> None:
        """What is personal to the socket's owner and changed since a position."""
        user_id = self._places.user_id
        stream = PersonStream(user_id)
        async with self._places.one_at_a_time:
            with self._places.arriving([stream]):
                async with hub().catching_up:
                    changes = await in_database_thread(
                        personal_changes, user_id=user_id, after=after, epoch=self._epoch
                    )
                await self._bring(stream, changes)

    async def _bring(self, stream: Stream, changes: Changes) -> None:
        outlet = self._places.outlet
        for event in changes.events:
            outlet.send(Frame(event.text, kind=event.kind))
        if changes.more and not self._is_asked:
            self._places.follow(stream, changes.pos)
        else:
            outlet.send(synced(stream, changes, epoch=self._places.epoch, ref=self._ref))
        if not changes.more:
            self._places.sit(stream, window=changes.window, pos=changes.pos)
        for event in changes.events:
            if event.kind == "room.added":
                self._places.add_if_new(event.text)
        await outlet.drain()

    def _refuse(self, room_id: int) -> None:
        frame = error_frame(NotFound("room"), ref=self._ref, room_id=room_id)
        self._places.outlet.send(frame)
        self._places.ended(RoomStream(room_id))


def synced(stream: Stream, changes: Changes, *, epoch: str, ref: str | None = None) -> Frame:
    """Where these changes have led to."""
    where = (
        {"room": stream.room_id, "pos": changes.pos}
        if isinstance(stream, RoomStream)
        else {"user_pos": changes.pos}
    )
    return synced_frame(
        ref=ref,
        **where,
        epoch=epoch,
        complete=changes.complete,
        more=changes.more,
        reads=None if changes.more else (changes.reads or None),
    )
