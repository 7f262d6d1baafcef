"""What a notification socket makes of everything it hears: what is unread, once a second."""

import asyncio
from typing import Final

from messaging.events import unread_json
from messaging.queries.unread import unread_counts
from messaging.websocket.frames import Frame
from messaging.websocket.outlets import Outlet
from messaging.websocket.threads import in_database_thread
from service_kit.rendering import encode_json

PAUSE_SECONDS: Final = 1.0
# After a look that found nothing new.
REST_SECONDS: Final = 0.1
PERSONAL: Final = frozenset({"room.added", "me.changed"})


class Bell:
    """An outlet that lets through what is personal, and notes that something may be unread.

    `unread` is told for one room at a time, at most one a second.
    """

    def __init__(self, *, user_id: str, outlet: Outlet) -> None:
        self._user_id = user_id
        self._outlet = outlet
        self._rung = asyncio.Event()
        self._told: dict[int, int] = {}
        self._waiting: dict[int, None] = {}

    @property
    def is_loaded(self) -> bool:
        return self._outlet.is_loaded

    @property
    def is_closed(self) -> bool:
        return self._outlet.is_closed

    def send(self, frame: Frame) -> None:
        if frame.kind in PERSONAL:
            self._outlet.send(frame)
        if frame.kind == "unread" or not frame.is_passing:
            self._rung.set()

    async def drain(self) -> None:
        await self._outlet.drain()

    async def close(self, code: int, reason: str = "") -> None:
        await self._outlet.close(code, reason)

    async def begin(self) -> None:
        """What is unread now is known to whoever asks; each change from here on is told."""
        self._told = await in_database_thread(unread_counts, user_id=self._user_id)
        # Something may have come before anybody listened.
        self._rung.set()

    async def ring_for_ever(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            counts = await in_database_thread(unread_counts, user_id=self._user_id)
            changed = {id_ for id_ in counts | self._told if counts.get(id_) != self._told.get(id_)}
            self._waiting = {id_: None for id_ in self._waiting if id_ in changed}
            self._waiting.update(dict.fromkeys(changed))
            was_told = self._tell_one(counts)
            await asyncio.sleep(PAUSE_SECONDS if was_told else REST_SECONDS)

    def _tell_one(self, counts: dict[int, int]) -> bool:
        """Tell of the room that waits longest, and say whether there was one."""
        if not self._waiting:
            return False
        room_id = next(iter(self._waiting))
        del self._waiting[room_id]
        count = counts.get(room_id, 0)
        if count:
            self._told[room_id] = count
        else:
            self._told.pop(room_id, None)
        told = unread_json(room_id=room_id, unread_count=count, total=sum(counts.values()))
        self._outlet.send(Frame(encode_json(told), kind="unread"))
        if self._waiting:
            self._rung.set()
        return True
