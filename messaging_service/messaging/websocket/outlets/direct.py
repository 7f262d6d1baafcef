"""The way out under uvicorn: straight to its transport."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any

from messaging.websocket.frames import Frame, close_wire
from messaging.websocket.outlets.outlet import (
    CUT_AFTER_SECONDS,
    LOADED_BYTES,
    MOST_WAITING_BYTES,
    SHEDDING_BYTES,
    TOO_SLOW,
    SendToServer,
    cut,
    given_up,
    nothing,
    shed,
)
from messaging.websocket.standstill import standstill


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
            "WebSocketsSansIOProtocol" in [kind.__name__ for kind in type(protocol).__mro__]
            and getattr(protocol, "handshake_complete", False) is True
            and hasattr(protocol, "close_sent")
            and not getattr(getattr(protocol, "conn", None), "extensions", [None])
            and hasattr(getattr(protocol, "transport", None), "get_write_buffer_size")
        )

    @property
    def is_closed(self) -> bool:
        return bool(self._closed or self._protocol.close_sent or self._transport.is_closing())

    def send(self, frame: Frame) -> None:
        if monotonic() > standstill.until:
            standstill.check()
        if self._closed or self._protocol.close_sent or self._transport.is_closing():
            return
        waiting = self._transport.get_write_buffer_size()
        if not waiting:
            self._is_behind = False
        elif waiting > MOST_WAITING_BYTES:
            self._give_up()
            return
        elif waiting > SHEDDING_BYTES and frame.is_passing:
            shed.inc()
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
            self._cut()
        elif behind and not self._closed:
            self._give_up()

    def _give_up(self) -> None:
        """Tell a client that reads again why, and cut one that does not."""
        self._closed = True
        given_up.inc()
        self._transport.write(close_wire(TOO_SLOW, "too slow"))
        asyncio.get_running_loop().call_later(CUT_AFTER_SECONDS, self._cut)

    def close(self, code: int, reason: str = "") -> Coroutine[Any, Any, None]:
        was_closed, self._closed = self._closed, True
        return nothing() if was_closed else self._close(code, reason)

    async def _close(self, code: int, reason: str) -> None:
        try:
            close = self._send({"type": "websocket.close", "code": code, "reason": reason})
            await asyncio.wait_for(close, CUT_AFTER_SECONDS)
        except TimeoutError:
            # uvicorn waits for a client that reads before it sends a close frame.
            self._cut()
        else:
            # And afterwards for one that takes what is left: for ever.
            asyncio.get_running_loop().call_later(2 * CUT_AFTER_SECONDS, self._cut)

    def _cut(self) -> None:
        """End it; whoever has taken all he was sent was not cut, only slow to go."""
        if self._transport.get_write_buffer_size():
            cut.inc()
        self._transport.abort()
