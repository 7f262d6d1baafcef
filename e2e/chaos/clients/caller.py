"""Somebody at a socket who asks over it, hears what comes, and comes back when it breaks."""

from __future__ import annotations

import asyncio
import json
import random
from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from e2e.chaos.clients.reader import Reader, name_of
from e2e.chaos.clients.script import ANSWER_SECONDS, Frame

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from e2e.chaos.clients.script import Account, Script

    Dial = Callable[[], Awaitable[socket.socket | None]]

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 3.0
PING_SECONDS = 2.0


async def _no_socket() -> None:
    """Let websockets make its own."""


class Caller(Reader):
    """One socket; `patience` is how long it may be silent before this client gives it up.

    `dial` makes the connection, where it is not an ordinary one to `address`.
    """

    def __init__(self, script: Script, who: str, account: Account, *, patience: float) -> None:
        super().__init__(script, who, account)
        self.patience = patience
        self.address = script.address
        self.dial: Dial = _no_socket
        self.ready = asyncio.Event()
        self.answers: dict[str, asyncio.Future[Frame]] = {}
        self._socket: ClientConnection | None = None
        self._refs = 0

    @abstractmethod
    async def _begin(self, ready: Frame) -> None:
        """The first frame has come."""

    @abstractmethod
    async def _take(self, frame: Frame) -> None:
        """Another has."""

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = SHORTEST_PAUSE
        while True:
            before = self.link
            error = await self._live_once()
            was_ready = self.link > before
            if was_ready:
                self._note("open", "info", error=error)
            else:
                self._note("dial", "fail", error=error)
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
                sock=await self._dialled(),
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

    async def _dialled(self) -> socket.socket | None:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.dial()

    async def _hear(self) -> Frame:
        assert self._socket is not None
        async with asyncio.timeout(self.patience):
            return dict(json.loads(await self._socket.recv()))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            with suppress(ConnectionError):
                await self.say({"type": "ping"})

    def _lose_answers(self, error: str) -> None:
        for answer in self.answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(error))
