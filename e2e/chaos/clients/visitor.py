"""Somebody with one device who comes and goes, and is there in the end."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

from e2e.chaos.clients.listener import Listener
from e2e.chaos.clients.script import ANSWER_SECONDS
from e2e.history.checkers.presence import LEAVING
from e2e.history.history import VANISHED

STAY_SECONDS = 1.5
# Longer than it takes to be shown as gone.
AWAY_SECONDS = {how: seconds + 1.0 for how, seconds in LEAVING.items()}
LOOK_SECONDS = 0.1


class Visitor(Listener):
    """Goes `how`: with a word (LEFT), or without (VANISHED)."""

    def __init__(self, *arguments: Any, how: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.how = how
        self.is_away = False

    @property
    def is_current(self) -> bool:
        """Whoever is away lacks nothing."""
        return self.is_away or super().is_current

    async def run(self) -> None:
        """Come and go for as long as people write, then stay until cancelled."""
        while True:
            staying = asyncio.create_task(super().run())
            try:
                await self._stay()
            except asyncio.CancelledError:
                staying.cancel()
                raise
            await self._go(staying)

    async def _stay(self) -> None:
        await self.ready.wait()
        await self._until_written(STAY_SECONDS * random.uniform(0.5, 1.5))
        while not self.script.is_writing or not self.is_current:
            await asyncio.sleep(LOOK_SECONDS)

    async def _go(self, staying: asyncio.Task[None]) -> None:
        self.is_away = True
        if self.how == VANISHED:
            self.cut()
        elif self._socket is not None:
            # To be cancelled would by itself close it as an error.
            self._socket.close_timeout = ANSWER_SECONDS
            await self._socket.close()
        staying.cancel()
        with suppress(asyncio.CancelledError):
            await staying
        self._note("open", "info", error=self.how)
        await self._until_written(AWAY_SECONDS[self.how])
        self.is_away = False

    async def _until_written(self, seconds: float) -> None:
        """Wait so long, or until nobody writes any more."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            if self.script.is_writing:
                await asyncio.sleep(LOOK_SECONDS)
