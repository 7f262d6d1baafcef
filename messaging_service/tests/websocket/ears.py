"""What tests of the hub listen with: an outlet that keeps what it was given."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis import Redis as Client

from messaging.broadcast import seal
from messaging.events import Event, room_channel
from messaging.websocket.frames import Frame
from messaging.websocket.hub import Feed, Hub


class Ear:
    """One local socket of a room, open since `since`."""

    def __init__(self, feed: Feed, user_id: str = "somebody") -> None:
        self.since = feed.pos
        self.frames: list[dict[str, Any]] = []
        self._feed = feed
        feed.outlets[self] = user_id

    def send(self, frame: Frame) -> None:
        self.frames.append(json.loads(frame.text))

    async def close(self, code: int, reason: str = "") -> None:
        raise AssertionError((code, reason))

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
        del self._feed.outlets[self]
        hub.release(self._feed)

    def __repr__(self) -> str:
        return f"since {self.since} heard {self.positions}"


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
