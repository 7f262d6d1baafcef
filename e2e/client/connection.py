"""A socket that comes back until it is closed, or the server forbids it."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

Frame = dict[str, Any]

STOP: Final = {4400, 4403, 1009}
RENEW: Final = 4401
REPLACED: Final = "replaced"
CUT: Final = 1006
SHORTEST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 30.0


class Stopped(Exception):  # noqa: N818 - it is how things are, not an error.
    """The server closed the socket with a code that means: do not come back."""


class Lost(Exception):  # noqa: N818 - as above.
    """The connection broke before the answer came."""


class Connection:
    """Stays open; `token(renew)` gives the token to come (back) with.

    `hear` gets every frame in order, and `lost` is called whenever the connection broke.
    """

    def __init__(
        self,
        address: str,
        *,
        token: Callable[[bool], Awaitable[str]],
        hear: Callable[[str], Awaitable[None]],
        lost: Callable[[], Awaitable[None]],
    ) -> None:
        self._address = address
        self._token = token
        self._hear = hear
        self._lost = lost
        self._socket: ClientConnection | None = None
        self._heartbeat = 25.0
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._refs = count(1)
        self._work: set[asyncio.Task[None]] = set()
        self.is_ready = False

    async def run(self) -> None:
        """Stay connected: come back with jitter, or raise Stopped, as the close code says."""
        pause, renew = SHORTEST_PAUSE, False
        while True:
            code, reason = CUT, ""
            try:
                await self._connect(await self._token(renew))
            except ConnectionClosed as closed:
                if closed.rcvd:
                    code, reason = closed.rcvd.code, closed.rcvd.reason
            except (InvalidHandshake, OSError, TimeoutError, httpx.HTTPError):
                pass
            finally:
                was_ready = self.is_ready
                self._lose()
                await self._lost()
            if code in STOP or reason == REPLACED:
                raise Stopped(code)
            renew = code == RENEW
            pause = SHORTEST_PAUSE if was_ready else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause * random.random())  # noqa: S311 - jitter.

    async def ask(self, command: Frame) -> Frame:
        """Say something, and return the frame that answers it; raises Lost."""
        ref = str(next(self._refs))
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[ref] = answer
        await self.say(command | {"ref": ref})
        return await answer

    async def say(self, command: Frame) -> None:
        """Say something that is answered by events, if at all; lost without a connection."""
        with suppress(ConnectionClosed):
            if self._socket is not None:
                await self._socket.send(json.dumps(command))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside, as long as this connection lasts."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def cut(self) -> None:
        """Lose the connection, as networks do."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _connect(self, token: str) -> None:
        """Hear one socket until it is closed, or silent for too long."""
        bearer = {"Authorization": f"Bearer {token}"}
        async with connect(
            self._address, additional_headers=bearer, ping_interval=None
        ) as self._socket:
            self.start(self._beat())
            while True:
                async with asyncio.timeout(2 * self._heartbeat):
                    text = str(await self._socket.recv())
                self._notice(json.loads(text))
                await self._hear(text)

    def _notice(self, frame: Frame) -> None:
        if frame["type"] == "ready":
            self.is_ready, self._heartbeat = True, frame["heartbeat"]
        elif frame["type"] == "auth.expiring":
            self.start(self._renew())
        answer = self._answers.pop(frame.get("ref", ""), None)
        if answer is not None and not answer.cancelled():
            answer.set_result(frame)

    def _lose(self) -> None:
        self._socket, self.is_ready = None, False
        for task in self._work:
            task.cancel()
        for answer in self._answers.values():
            if not answer.cancelled():
                answer.set_exception(Lost())
        self._answers.clear()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            await self.say({"type": "ping"})

    async def _renew(self) -> None:
        await self.say({"type": "auth", "token": await self._token(True)})
