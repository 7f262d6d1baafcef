"""Somebody at a socket for all his rooms who comes back, catches up, and writes down every frame.

Not the reference client: it keeps positions only, so that what it writes down is what was told.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from e2e.chaos.clients.reader import Reader, name_of
from e2e.chaos.clients.script import ANSWER_SECONDS, Frame, seen

if TYPE_CHECKING:
    from e2e.chaos.clients.script import Account, Script

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 3.0
PING_SECONDS = 2.0
ME = 0  # Stands beside the ids of rooms, for what is personal.


class Listener(Reader):
    """One socket; `patience` is how long it may be silent before this client gives it up."""

    def __init__(self, script: Script, who: str, account: Account, *, patience: float) -> None:
        super().__init__(script, who, account)
        self.patience = patience
        self.address = script.address
        self.positions: dict[int, int] = {}
        self.user_pos = 0
        self.behind: set[int] = set()
        self.epoch = ""
        self.ready = asyncio.Event()
        self.answers: dict[str, asyncio.Future[Frame]] = {}
        self._socket: ClientConnection | None = None
        self._refs = 0

    @property
    def is_current(self) -> bool:
        return self.ready.is_set() and not self.behind

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = SHORTEST_PAUSE
        while True:
            before = self.link
            error = await self._live_once()
            was_ready = self.link > before
            if was_ready:
                self._note("open", "info", error=error)
            self._lose_answers(error)
            if error == "4401":
                with suppress(httpx.HTTPError):
                    await self.account.renew(self.http)
            pause = SHORTEST_PAUSE if was_ready else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause * random.random())

    async def ask(self, command: Frame) -> Frame:
        """Say it once and return the answer; raises ConnectionError if there is none."""
        self._refs += 1
        ref = f"{self.link}-{self._refs}"
        self.answers[ref] = answer = asyncio.get_running_loop().create_future()
        # Nobody waits for it any more if saying it fails.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await self.say(command | {"ref": ref})
            async with asyncio.timeout(ANSWER_SECONDS):
                told: Frame = await answer
        except TimeoutError:
            self.cut()
            raise ConnectionError("silent") from None
        finally:
            self.answers.pop(ref, None)
        return told

    async def say(self, command: Frame) -> None:
        if self._socket is None:
            raise ConnectionError("closed")
        try:
            await self._socket.send(json.dumps(command))
        except ConnectionClosed as error:
            raise ConnectionError("closed") from error

    def cut(self) -> None:
        """Give the connection up without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _live_once(self) -> str:
        """One connection from its beginning to its end, and why it ended."""
        url = self.address.replace("http", "ws", 1) + "/ws/chat/"
        try:
            async with connect(
                url,
                additional_headers=self.account.bearer,
                ping_interval=None,
                open_timeout=ANSWER_SECONDS,
                close_timeout=0.2,
                max_size=None,
            ) as self._socket:
                await self._begin(await self._hear())
                beat = asyncio.create_task(self._beat())
                try:
                    while True:
                        await self._take(await self._hear())
                finally:
                    self.ready.clear()
                    beat.cancel()
        except ConnectionClosed as closed:
            return str(closed.rcvd.code if closed.rcvd else 1006)
        except (OSError, WebSocketException, httpx.HTTPError) as error:
            return name_of(error)
        finally:
            self._socket = None

    async def _hear(self) -> Frame:
        assert self._socket is not None
        async with asyncio.timeout(self.patience):
            return dict(json.loads(await self._socket.recv()))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            with suppress(ConnectionError):
                await self.say({"type": "ping"})

    async def _begin(self, ready: Frame) -> None:
        """Ask for what is missing; the first time only for what comes from now on."""
        if not self.epoch:
            self.positions = await self._listed()
            self.user_pos, self.epoch = ready["user_pos"], ready["epoch"]
        self.link += 1
        self._note("open")
        await self.say(self._sync() | {"user_pos": self.user_pos})
        self.behind.add(ME)
        await self._ask_for(*self.positions)
        self.ready.set()

    async def _listed(self) -> dict[int, int]:
        answer = await self.http.get("/api/chat/rooms/?page_size=100", headers=self.account.bearer)
        answer.raise_for_status()
        return {room["id"]: room["pos"] for room in answer.json()["results"]}

    def _sync(self) -> Frame:
        return {"type": "sync", "ref": "sync", "epoch": self.epoch}

    async def _ask_for(self, *rooms: int) -> None:
        for room in rooms:
            self.behind.add(room)
            self._note("sync", "invoke", room=room, pos=self.positions[room])
        if rooms:
            asked = {str(room): self.positions[room] for room in rooms}
            await self.say(self._sync() | {"rooms": asked})

    # ---- frames ----------------------------------------------------------------------------------

    async def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "message" | "message.updated":
                self._heard(frame, **seen(frame))
            case "member.joined" | "member.left":
                self._heard(frame, about=frame["user_id"], room=frame["room"], pos=frame["pos"])
                if (frame["type"], frame["user_id"]) == ("member.left", self.account.user_id):
                    self._forget(frame["room"])
            case "room.added":
                await self._added(frame)
            case "synced":
                await self._synced(frame)
            case "error" if (frame["code"], frame.get("ref")) == ("not_found", "sync"):
                self._note("sync", "fail", room=frame["room"], error="not_found")
                self._forget(frame["room"])
            case "ack" | "error" if answer := self.answers.get(frame.get("ref", "")):
                if not answer.done():
                    answer.set_result(frame)
            case "auth.expiring":
                await self.account.renew(self.http)
                await self.say({"type": "auth", "token": self.account.access})

    def _heard(self, frame: Frame, **fields: Any) -> None:
        room, pos = frame["room"], frame["pos"]
        via = "resume" if room in self.behind else "live"
        self._note("hear", event=frame["type"], via=via, **fields)
        if room in self.positions and room not in self.behind:
            self.positions[room] = max(self.positions[room], pos)

    async def _added(self, frame: Frame) -> None:
        room = frame["room"]
        self._note("hear", event="room.added", via="personal", room=room, pos=frame["pos"])
        if ME not in self.behind:
            self.user_pos = max(self.user_pos, frame["user_pos"])
        self.positions[room] = frame["pos"]
        await self._ask_for(room)

    async def _synced(self, frame: Frame) -> None:
        if "user_pos" in frame:
            self.user_pos = frame["user_pos"]
            self.behind.discard(ME)
            return
        room, pos, more = frame["room"], frame["pos"], frame["more"]
        complete = frame["complete"] and frame["epoch"] == self.epoch
        self.epoch = frame["epoch"]
        self._note("sync", room=room, pos=pos, complete=complete, more=more)
        if room not in self.positions:
            return
        if not complete:
            await self.read_history(room)
        self.positions[room] = pos
        if more:
            await self._ask_for(room)
        else:
            self.behind.discard(room)

    def _forget(self, room: int) -> None:
        self.positions.pop(room, None)
        self.behind.discard(room)

    def _lose_answers(self, error: str) -> None:
        for answer in self.answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(error))
