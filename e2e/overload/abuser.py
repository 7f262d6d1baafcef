"""Somebody who wants more than his share, and what he meets with."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from e2e.overload.wire import CLOSE, PING, PONG, TEXT, TurnedAwayError, Wire, frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALL_ROOMS = "/ws/chat/"
# Who does something faster than that does several at once.
SHORTEST_PAUSE_SECONDS = 0.05


@dataclass
class Abuser:
    """An account, a room, and a count of what was done and of what came of it."""

    port: int
    token: str
    room: int
    met: Counter[str] = field(default_factory=Counter)

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token}"

    @asynccontextmanager
    async def socket(self, *, answers_pings: bool = True) -> AsyncIterator[Wire]:
        """A socket for all rooms that is heard meanwhile, and cut at the end."""
        wire = await self.open_socket()
        hearing = asyncio.create_task(self.hear(wire, answers_pings=answers_pings))
        try:
            yield wire
        finally:
            hearing.cancel()
            wire.cut()

    async def open_socket(self, *, takes: int | None = None) -> Wire:
        wire = await Wire.dial(self.port, takes=takes)
        try:
            await wire.upgrade(ALL_ROOMS, self.bearer)
        except BaseException:
            wire.cut()
            raise
        self.met["sockets"] += 1
        return wire

    async def hear(self, wire: Wire, *, answers_pings: bool = True) -> None:
        """Count refusals, and the code it is closed with, until it is."""
        try:
            while True:
                opcode, payload = await wire.hear()
                if opcode == PING and answers_pings:
                    await wire.write(frame(PONG, payload))
                elif opcode == TEXT and payload.startswith(b'{"type":"error"'):
                    self.met[json.loads(payload)["code"]] += 1
                elif opcode == CLOSE:
                    self.met[str(int.from_bytes(payload[:2], "big"))] += 1
                    return
        except (OSError, EOFError):
            self.met["cut"] += 1
        finally:
            wire.cut()

    async def flood(self, wire: Wire, what: bytes, per_second: float) -> None:
        """Write the same again and again, as often as one can and no more often than that."""
        async for many in paced(per_second):
            await wire.write(what * many)
            self.met["times"] += many

    async def knock(self, path: str, *headers: str) -> None:
        """Open a socket, hear what is said first, and go."""
        wire = await Wire.dial(self.port)
        self.met["times"] += 1
        try:
            await wire.upgrade(path, *headers)
            opcode, payload = await wire.hear()
            code = int.from_bytes(payload[:2], "big")
            self.met[str(code) if opcode == CLOSE else "ready"] += 1
        except TurnedAwayError as error:
            self.met[str(error)] += 1
        finally:
            wire.cut()


async def paced(per_second: float) -> AsyncIterator[int]:
    """How many are due, each time some are; what could not be done in time is left out."""
    pause, due = max(1 / per_second, SHORTEST_PAUSE_SECONDS), time.monotonic()
    while True:
        yield round(pause * per_second)
        due = max(due + pause, time.monotonic() - pause)
        await asyncio.sleep(due - time.monotonic())
