"""What somebody missed: a thousand changes of one room, or one in each of a thousand rooms."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from bench import rooms
from bench.measurements import Measurement, percentile
from bench.tokens import token_of
from bench.writing import WrongError
from e2e.client import Client
from e2e.replica import Room
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from websockets.asyncio.client import ClientConnection

    from bench.stage import Stage
    from e2e.replica import Frame

ONE_ROOM = "1,000 changes missed"
MANY_ROOMS = "1,000 rooms to catch up"
TIMES = 10
LONGEST_SECONDS = 20.0
LOOK_EVERY = 0.001


class CatchingUp:
    """From the `sync` that asks to the reference client being current; nothing may be left out."""

    def __init__(self, stage: Stage) -> None:
        self._parley = stage.parley
        self._parley.seed("missed", "many")

    def measure(self, number: int) -> Iterator[Measurement]:
        yield self._measured(ONE_ROOM, rooms.READER, [rooms.MISSED], number)
        yield self._measured(MANY_ROOMS, rooms.in_many(0), rooms.of_many(0), number)

    def _measured(self, workload: str, user: str, held: Iterable[int], number: int) -> Measurement:
        client = Returning(f"http://{LOOPBACK}:{self._parley.port}", user, held)
        taken, told = asyncio.run(client.come_back_often())
        return Measurement(
            round=number,
            workload=workload,
            system=self._parley.name,
            p50=percentile(taken, 0.5),
            p99=percentile(taken, 0.99),
            delivered=told,
            due=1_000 * TIMES,
        )


class Returning(Client):
    """Knows its rooms, as they were before anything was said in them."""

    def __init__(self, address: str, user: str, held: Iterable[int]) -> None:
        async def token(_renew: bool) -> str:  # noqa: FBT001 - as the client calls it.
            return token_of(user)

        super().__init__(address, token)
        self._held = list(held)

    async def come_back_often(self) -> tuple[list[float], int]:
        """Return the milliseconds each time took, and how many messages came in all of them."""
        running = asyncio.create_task(self.run())
        await self._until_current()
        taken, told = [], 0
        for _ in range(TIMES):
            self.replica.rooms = await self.rooms()
            begin = perf_counter()
            await self.say(*self.replica.fall_behind())
            await self._until_current()
            taken.append(1_000 * (perf_counter() - begin))
            told += sum(len(room.messages) for room in self.replica.rooms.values())
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return taken, told

    async def rooms(self) -> dict[int, Room]:
        return {room_id: Room(0, loaded=True) for room_id in self._held}

    async def hear(self, socket: ClientConnection) -> Frame:
        frame = await super().hear(socket)
        if frame["type"] == "error" or not frame.get("complete", True):
            raise WrongError(str(frame))
        return frame

    async def _until_current(self) -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not self.replica.is_current:  # noqa: ASYNC110 - the client tells nobody.
                await asyncio.sleep(LOOK_EVERY)
