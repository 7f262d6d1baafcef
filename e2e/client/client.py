"""What a client asks: sends that are stored once, history, and whatever it missed."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import httpx

from e2e.client.connection import SHORTEST_PAUSE, Connection, Lost, Stopped
from e2e.client.replica import SYNC, Replica

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from e2e.client.room import Frame, Room

TRY_AGAIN: Final = {"unavailable", "outcome_unknown", "rate_limited"}


class Refused(Exception):  # noqa: N818 - it is an answer, not an error.
    """The code of a refusal that asking again would not change."""


class Client:
    """One socket, of every room or of one, and what is known through it.

    `heard` is a hook: it gets the text of each frame before it is applied.
    """

    def __init__(
        self,
        address: str,
        token: Callable[[bool], Awaitable[str]],
        *,
        room: int | None = None,
        sockets: str = "",
    ) -> None:
        self.replica = Replica(personal=room is None)
        self.heard: Callable[[str], object] = len
        self._room = room
        self._token = token
        self._http = httpx.AsyncClient(base_url=address, timeout=10)
        path = "/ws/chat/" if room is None else f"/ws/chat/{room}/"
        base = sockets or address.replace("http", "ws", 1)
        self.connection = Connection(
            base + path, token=self._fresh, hear=self._hear, lost=self._tell
        )
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.connection.run())
        self._running.add_done_callback(lambda _: asyncio.ensure_future(self._tell()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError, Stopped):
            await self._running
        await self._http.aclose()

    async def send(self, room: int, content: str) -> Frame:
        """Send a message and return it as stored: once, however often it had to be said."""
        command = {"type": "message", "room": room, "content": content}
        answer = await self.ask(command | {"client_id": uuid.uuid4().hex})
        message: Frame = answer["message"]
        return message

    async def ask(self, command: Frame) -> Frame:
        """Say it until it is acknowledged, and return the ack; raises Refused."""
        while True:
            await self.until(lambda: self.connection.is_ready)
            try:
                answer = await self.connection.ask(command)
            except Lost:
                continue
            if answer["type"] != "error":
                self.replica.keep(answer.get("message"))
                return answer
            if answer["code"] not in TRY_AGAIN:
                raise Refused(answer["code"])
            await asyncio.sleep(answer.get("retry_after", 1))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so; raises Stopped where it cannot become so any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: true() or self._running.done())
        if self._running.done():
            self._running.result()

    @property
    def is_current(self) -> bool:
        """Connected, with every room loaded and caught up."""
        return self.connection.is_ready and self.replica.is_current

    async def _hear(self, text: str) -> None:
        self.heard(text)
        frame = json.loads(text)
        self.replica.apply(frame)
        if frame["type"] == "ready" and frame["more"]:
            await self._list_rooms()
        if not self.replica.epoch:
            self.connection.cut()
        await self._catch_up()
        await self._tell()

    async def _catch_up(self) -> None:
        """Ask for what the replica misses: changes over the socket, all else over HTTP."""
        sync, fetch = self.replica.take_wishes()
        if sync:
            if self._room is not None:
                sync = {"after": sync["rooms"][str(self._room)]}
            epoch = self.replica.epoch
            await self.connection.say({"type": "sync", "ref": SYNC, "epoch": epoch} | sync)
        for room_id, room in fetch.items():
            self.connection.start(self._fetch(room_id, room))

    async def _fetch(self, room_id: int, room: Room) -> None:
        """Read a room and the newest page of its history; connected first, so nothing is missed."""
        path = f"/api/chat/rooms/{room_id}/"
        shown, history = await self._get(path), await self._get(f"{path}messages/?limit=100")
        if shown and history:
            self.replica.load(room, shown, history["results"])
        elif self.replica.rooms.get(room_id) is room:
            self.replica.forget(room_id)
        await self._tell()

    async def _list_rooms(self) -> None:
        """Begin with the rooms `ready` had no place for."""
        page: Frame = {"next": "/api/chat/rooms/?page_size=100"}
        while page["next"]:
            page = await self._get(page["next"]) or {"next": None, "results": []}
            for room in page["results"]:
                if room["id"] not in self.replica.rooms:
                    self.replica.begin(room["id"], room["pos"])

    async def _get(self, path: str) -> Frame | None:
        """What stands there, or None for nothing; tries again while a store is away."""
        while True:
            with suppress(httpx.TransportError):
                answer = await self._http.get(path)
                if answer.status_code in {200, 404}:
                    found: Frame = answer.json()
                    return found if answer.status_code == 200 else None
            await asyncio.sleep(SHORTEST_PAUSE + random.random())  # noqa: S311 - jitter.

    async def _fresh(self, renew: bool) -> str:  # noqa: FBT001 - as the caller's own.
        token = await self._token(renew)
        self._http.headers["Authorization"] = f"Bearer {token}"
        return token

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
