"""The reference client as tests hold it: what it hears is checked, and it can be cut off."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from e2e.asyncapi import checked
from e2e.client import Client, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

    from e2e.replica import Frame

SECONDS = 10.0
LOOK_EVERY = 0.005


class Watched(Client):
    """Runs while it is entered; every frame is as documented and in `heard`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.heard: list[str] = []

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError, Stopped):
            await self._running
        await self._http.aclose()

    @property
    def is_current(self) -> bool:
        return self.ready.is_set() and self.replica.is_current

    async def hear(self, socket: ClientConnection) -> Frame:
        frame = await super().hear(socket)
        checked(json.dumps(frame))
        self.heard.append(json.dumps(frame))
        return frame

    def cut(self) -> None:
        """Lose the connection, as networks do."""
        if self.socket is not None:
            self.socket.transport.abort()

    async def until(self, true: Callable[[], object], *, within: float = SECONDS) -> None:
        """Wait until something is so; raises what the client ended with, if it did."""
        async with asyncio.timeout(within):
            while not true():
                if self._running.done():
                    self._running.result()
                await asyncio.sleep(LOOK_EVERY)
