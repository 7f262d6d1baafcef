"""The way out under any other server."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from messaging.websocket.frames import Frame
from messaging.websocket.outlets.outlet import (
    CUT_AFTER_SECONDS,
    LOADED_BYTES,
    MOST_WAITING_BYTES,
    SHEDDING_BYTES,
    TOO_SLOW,
    SendToServer,
    given_up,
    nothing,
    shed,
)
from messaging.websocket.standstill import standstill

NORMAL: Final = 1000


class QueuedOutlet:
    """Awaits the server's `send` in a task of its own."""

    def __init__(self, send: SendToServer) -> None:
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    def send(self, frame: Frame) -> None:
        standstill.check()
        if self._closed:
            return
        if self._bytes > SHEDDING_BYTES and frame.is_passing:
            shed.inc()
            return
        self._waiting.extend(frame.texts)
        self._bytes += sum(map(len, frame.texts))
        if self._bytes > MOST_WAITING_BYTES:
            self._give_up()
        elif self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._send_waiting())

    @property
    def is_loaded(self) -> bool:
        return self._bytes > LOADED_BYTES

    async def drain(self) -> None:
        if self.is_loaded and self._pump is not None:
            await asyncio.wait({self._pump}, timeout=2 * CUT_AFTER_SECONDS)

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                text = self._waiting.popleft()
                self._bytes -= len(text)
                await self._send({"type": "websocket.send", "text": text.decode()})
        except OSError:  # The client is gone, as whoever receives from it will hear.
            self._closed = True
            self._waiting.clear()

    def _give_up(self) -> None:
        self._closed = True
        given_up.inc()
        self._waiting.clear()
        if self._pump is not None:
            self._pump.cancel()
        close = {"type": "websocket.close", "code": TOO_SLOW, "reason": "too slow"}
        self._pump = asyncio.create_task(self._close(close))

    async def _close(self, message: dict[str, Any]) -> None:
        with suppress(OSError, TimeoutError):
            try:
                await asyncio.wait_for(self._send(message), CUT_AFTER_SECONDS)
            except (OSError, TimeoutError):
                raise
            except Exception:  # noqa: BLE001 - Daphne has no codes from 1001 to 2999.
                await self._send(message | {"code": NORMAL})

    def close(self, code: int, reason: str = "") -> Coroutine[Any, Any, None]:
        was_closed, self._closed = self._closed, True
        return nothing() if was_closed else self._close_after_all(code, reason)

    async def _close_after_all(self, code: int, reason: str) -> None:
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=CUT_AFTER_SECONDS)
        await self._close({"type": "websocket.close", "code": code, "reason": reason})
