"""One socket's way out, which never makes the sender wait.

DirectOutlet      uvicorn: the frame's bytes go straight to the transport
QueuedOutlet      any other server: a queue, and a task that awaits `send`

Both hold at most 1 MiB for a client that does not read; then it is closed with 4408. The first also
gives up a client that has not taken everything for ten seconds, and cuts one that still does not.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from prometheus_client import Counter

from messaging.websocket.frames import Frame, close_wire

MOST_WAITING_BYTES: Final = 1 << 20
SHEDDING_BYTES: Final = MOST_WAITING_BYTES // 2
LOADED_BYTES: Final = MOST_WAITING_BYTES // 8
CUT_AFTER_SECONDS: Final = 10.0
TOO_SLOW: Final = 4408
NORMAL: Final = 1000

_shed: Final = Counter("parley_frames_shed_total", "Passing events left out for slow sockets.")
_given_up: Final = Counter("parley_sockets_given_up_total", "Sockets closed for being too slow.")

SendToServer = Callable[[dict[str, Any]], Awaitable[None]]


class Outlet(Protocol):
    @property
    def is_loaded(self) -> bool:
        """Whether so much waits that what can be put off should be."""

    def send(self, frame: Frame) -> None:
        """Send a frame in order, soon; nothing once the socket is closed.

        A passing frame is left out where more than half of what may wait does.
        """

    async def drain(self) -> None:
        """Return when there is room for a page more, or the socket is given up."""

    async def close(self, code: int, reason: str = "") -> None:
        """Close after what was sent before; nothing is sent after it."""


def outlet_for(send: SendToServer) -> Outlet:
    """The outlet that fits the server behind an accepted socket's `send`."""
    protocol = getattr(send, "__self__", None)
    if DirectOutlet.fits(protocol):
        return DirectOutlet(protocol, send)
    return QueuedOutlet(send)


class DirectOutlet:
    """Writes to uvicorn's transport: one system call per frame, no task, no copy."""

    def __init__(self, protocol: Any, send: SendToServer) -> None:  # noqa: ANN401 - see fits.
        self._transport = protocol.transport
        self._protocol = protocol
        self._send = send
        self._closed = False
        self._is_behind = False
        self._patience: asyncio.TimerHandle | None = None

    @staticmethod
    def fits(protocol: object) -> bool:
        """Whether this is uvicorn's sans-io protocol, uncompressed, with its handshake done."""
        return (
            type(protocol).__name__ == "WebSocketsSansIOProtocol"
            and getattr(protocol, "handshake_complete", False) is True
            and hasattr(protocol, "close_sent")
            and not getattr(getattr(protocol, "conn", None), "extensions", [None])
            and hasattr(getattr(protocol, "transport", None), "get_write_buffer_size")
        )

    def send(self, frame: Frame) -> None:
        if self._closed or self._protocol.close_sent or self._transport.is_closing():
            return
        waiting = self._transport.get_write_buffer_size()
        if not waiting:
            self._is_behind = False
        elif waiting > MOST_WAITING_BYTES:
            self._give_up()
            return
        elif waiting > SHEDDING_BYTES and frame.is_passing:
            _shed.inc()
            return
        elif not self._is_behind:
            self._watch()
        self._transport.write(frame.wire)

    @property
    def is_loaded(self) -> bool:
        return bool(self._transport.get_write_buffer_size() > LOADED_BYTES)

    async def drain(self) -> None:
        if self.is_loaded:
            # Whoever takes nothing for so long has been given up by then.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._protocol.writable.wait(), 2 * CUT_AFTER_SECONDS)

    def _watch(self) -> None:
        """From now on it has ten seconds to take everything at least once."""
        self._is_behind = True
        if self._patience is not None:
            self._patience.cancel()
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(CUT_AFTER_SECONDS, self._look_again)

    def _look_again(self) -> None:
        behind = self._is_behind and self._transport.get_write_buffer_size() > 0
        self._is_behind = False
        if behind and self._transport.is_closing():
            # The server closes it, and would wait for the client for ever.
            self._transport.abort()
        elif behind and not self._closed:
            self._give_up()

    def _give_up(self) -> None:
        """Tell a client that reads again why, and cut one that does not."""
        self._closed = True
        _given_up.inc()
        self._transport.write(close_wire(TOO_SLOW, "too slow"))
        asyncio.get_running_loop().call_later(CUT_AFTER_SECONDS, self._transport.abort)

    async def close(self, code: int, reason: str = "") -> None:
        if self._closed:
            return
        self._closed = True
        try:
            close = self._send({"type": "websocket.close", "code": code, "reason": reason})
            await asyncio.wait_for(close, CUT_AFTER_SECONDS)
        except TimeoutError:
            # uvicorn waits for a client that reads before it sends a close frame.
            self._transport.abort()
        else:
            # And afterwards for one that takes what is left: for ever.
            asyncio.get_running_loop().call_later(2 * CUT_AFTER_SECONDS, self._transport.abort)


class QueuedOutlet:
    """Awaits the server's `send` in a task of its own."""

    def __init__(self, send: SendToServer) -> None:
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    def send(self, frame: Frame) -> None:
        if self._closed:
            return
        if self._bytes > SHEDDING_BYTES and frame.is_passing:
            _shed.inc()
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
        _given_up.inc()
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

    async def close(self, code: int, reason: str = "") -> None:
        if self._closed:
            return
        self._closed = True
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=CUT_AFTER_SECONDS)
        await self._close({"type": "websocket.close", "code": code, "reason": reason})
