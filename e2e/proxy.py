"""A TCP proxy before a real server, with the faults that networks have."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

from local.ports import LOOPBACK

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Iterable

Loss = Literal["", "request", "reply"]

CHUNK_BYTES: Final = 65_536
START_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.01
# To close is then to reset: on, with no seconds to wait.
NO_LINGER: Final = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` of the loopback address, or another; whatever is wrong is so until `heal`.

    latency          each piece of data is held back for so many seconds, in each direction
    blackhole()      nothing comes through, and no connection ends
    reset()          every connection is reset, once
    refuses          new connections are reset
    lose_next        what to lose of the next request that holds `mark`. "request": it never reaches
                     the server. "reply": the server carries it out, and answers nobody. The
                     connection is reset then, and with `refuse_after_loss` every new one too.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str = LOOPBACK,
        listens_on: str = LOOPBACK,
        mark: bytes = b"COMMIT",
    ) -> None:
        self.latency = 0.0
        self.refuses = False
        self.lose_next: Loss = ""
        self.refuse_after_loss = False
        self.losses = 0
        self._server = (host, port)
        self._address = listens_on
        self._mark = mark
        self._links: set[StreamWriter] = set()
        self._deaf: StreamWriter | None = None
        started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=[self._run(started)], daemon=True)
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise TimeoutError

    def blackhole(self) -> None:
        self._do(self._open.clear)

    def reset(self) -> None:
        self._do(lambda: _reset(self._links))

    def heal(self) -> None:
        """From here on nothing is wrong; what a blackhole held comes through."""
        self.latency, self.lose_next = 0.0, ""
        self.refuses = self.refuse_after_loss = False
        self._do(self._open.set)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()

    def _do(self, act: Callable[[], object]) -> None:
        """Act in the proxy's own thread, and return when it is done."""
        done = threading.Event()
        for each in (act, done.set):
            self._loop.call_soon_threadsafe(each)
        done.wait(START_SECONDS)

    async def _run(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._open, self._closed = asyncio.Event(), asyncio.Event()
        self._open.set()
        async with await asyncio.start_server(self._serve, self._address, 0) as server:
            self.port: int = server.sockets[0].getsockname()[1]
            started.set()
            await self._closed.wait()
            self._open.set()
            while self._links:
                _reset(self._links)
                await asyncio.sleep(POLL_SECONDS)

    async def _serve(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        links = {to_client}
        self._links |= links
        try:
            await self._open.wait()
            self._require_accepting()
            from_server, to_server = await asyncio.open_connection(*self._server)
            links.add(to_server)
            self._links |= links
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(from_client, to_server, asker=to_client))
                both.create_task(self._pass(from_server, to_client))
        except* OSError:  # However it broke, the other side is to notice.
            _reset(links)
        finally:
            self._links -= links
            for link in links:
                link.close()

    def _require_accepting(self) -> None:
        if self.refuses:
            raise ConnectionRefusedError

    async def _pass(
        self, source: StreamReader, target: StreamWriter, *, asker: StreamWriter | None = None
    ) -> None:
        while data := await source.read(CHUNK_BYTES):
            await asyncio.sleep(self.latency)
            await self._open.wait()
            if asker and self.lose_next and self._mark in data:
                self._lose(asker)
            elif target is self._deaf:
                raise ConnectionResetError
            target.write(data)
            await target.drain()
        target.write_eof()

    def _lose(self, asker: StreamWriter) -> None:
        loss, self.lose_next = self.lose_next, ""
        self.losses += 1
        self.refuses = self.refuse_after_loss
        if loss == "request":
            raise ConnectionResetError
        self._deaf = asker


def _reset(links: Iterable[StreamWriter]) -> None:
    for link in set(links):
        with suppress(OSError):  # One that has ended has no socket any more.
            made = link.get_extra_info("socket")
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        link.transport.abort()
