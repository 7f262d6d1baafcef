"""What tests of the hub listen with: an outlet that keeps what it was given."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis import Redis as Client

from messaging.broadcast import seal
from messaging.events import Event, room_channel
from messaging.models import Room
from messaging.permissions import Window
from messaging.websocket.frames import Frame
from messaging.websocket.hub import Hub
from messaging.websocket.hub.feed import Feed
from messaging.websocket.hub.seats import Seat
from messaging.websocket.hub.streams import RoomStream, Stream
from messaging.websocket.threads import in_database_thread

EVERYTHING = Window(1, 0, None)


class Ear:
    """One local socket of a room: an outlet that keeps what it is told."""

    is_loaded = is_closed = False

    feed: Feed

    def __init__(self, user_id: str) -> None:
        self.since = -1
        self.user_id = user_id
        self.frames: list[dict[str, Any]] = []
        self.writes = 0
        self.turned: list[tuple[Any, ...]] = []
        self.closed_with: list[int] = []

    def sit(self, pos: int, window: Window = EVERYTHING) -> bool:
        """Be live from a position on; False as `Feed.join` says it."""
        self.seat = Seat(user_id=self.user_id, outlet=self, window=window, cursor=pos, owner=self)
        self.since = pos
        return self.feed.join(self.seat)

    def send(self, frame: Frame) -> None:
        self.writes += 1
        self.frames += [json.loads(text) for text in frame.texts]

    def ended(self, stream: Stream) -> None:
        self.turned.append(("ended",))

    def behind(self, stream: Stream, pos: int) -> None:
        self.turned.append(("behind", pos))

    def renewed(self, stream: Stream, pos: int) -> None:
        self.turned.append(("renewed", pos))

    def added(self, text: bytes) -> None:
        self.turned.append(("added", text))

    def send_away(self) -> None:
        self.closed_with.append(1012)

    async def drain(self) -> None:
        pass

    async def close(self, code: int, reason: str = "") -> None:
        self.closed_with.append(code)

    @property
    def positions(self) -> list[int]:
        return [frame["pos"] for frame in self.frames if frame["type"] == "message"]

    async def hear(self, last: int, *, within: float = 5.0) -> float:
        """Seconds until everything from the start to `last` was heard, once and in order."""
        start = time.monotonic()
        await until(lambda: self.positions[-1:] == [last], within=within, what=self)
        assert self.positions == list(range(self.since + 1, last + 1))
        return time.monotonic() - start

    def leave(self, hub: Hub) -> None:
        self.feed.leave(self.seat)
        hub.release([self.feed], self)

    def __repr__(self) -> str:
        return f"since {self.since} heard {self.positions}"


async def listen(hub: Hub, room_id: int, user_id: str = "somebody") -> Ear:
    """Enter a room as a socket does: listen, look where it stands, and sit down there."""
    ear = Ear(user_id)
    (ear.feed,) = await hub.open([RoomStream(room_id)], ear)
    feed = ear.feed
    try:
        with feed.arriving():
            while not ear.sit(await in_database_thread(_position_of, room_id)):
                pass
    except BaseException:
        hub.release([feed], ear)
        raise
    return ear


def _position_of(room_id: int) -> int:
    return Room.objects.values_list("pos", flat=True).get(pk=room_id)


async def until(true: Callable[[], bool], *, within: float, what: object = "") -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.002)


def tell(url: str, events: Sequence[Event]) -> None:
    with Client.from_url(url) as client:
        for event in events:
            client.publish(event.channel, seal(event))


def tell_raw(url: str, room_id: int, data: bytes) -> None:
    with Client.from_url(url) as client:
        client.publish(room_channel(room_id), data)


def listeners(url: str, *room_ids: int) -> list[int]:
    """How many processes are subscribed to each room."""
    with Client.from_url(url) as client:
        found: Any = client.pubsub_numsub(*map(room_channel, room_ids))
        return [count for _, count in found]


def made_up(room_id: int, pos: int) -> Event:
    """An event Postgres knows nothing of: if it is heard, then from Redis."""
    text = json.dumps({"type": "message", "room": room_id, "pos": pos}).encode()
    return Event(room_channel(room_id), "message", text, pos=pos, seq=pos)
