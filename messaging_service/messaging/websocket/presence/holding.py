"""Holds the connections of this process in Redis, and hears from it whose are over."""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import uuid4

from messaging.actions.presence.leases import (
    BROKEN_SECONDS,
    CLEAN_SECONDS,
    HOLD_SECONDS,
    MOST_LAPSED,
    Exchange,
    Lease,
    Process,
    exchange,
    leave,
)

logger: Final = logging.getLogger(__name__)

BATCH_SECONDS: Final = 0.1
LAPSE_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15.0
PAUSE_SECONDS: Final = 0.5


class Holder:
    """The open connections; `doubt` gets those of whom something may have to be told."""

    def __init__(self, *, doubt: Callable[[set[str]], None]) -> None:
        self._doubt = doubt
        self._open: dict[str, str] = {}
        self._new: set[str] = set()
        self._closing: dict[str, Lease] = {}
        self._changed = asyncio.Event()
        self._lost = True
        self._self = Process(uuid4().hex, redis="")
        self._next_lapse = self._next_beat = 0.0
        self._thread = ThreadPoolExecutor(1, "presence-leases")

    def opened(self, connection_id: str, user_id: str) -> None:
        """A connection is open; its id is unlike any other's, in every process."""
        self._open[connection_id] = user_id
        self._new.add(connection_id)
        self._changed.set()

    def closed(self, connection_id: str, *, clean: bool) -> None:
        """It is closed, by its client (`clean`, see is_clean) or not; unknown ids are none."""
        user_id = self._open.pop(connection_id, None)
        if user_id is not None:
            seconds = CLEAN_SECONDS if clean else BROKEN_SECONDS
            is_held = connection_id not in self._new and not self._lost
            self._new.discard(connection_id)
            self._closing[connection_id] = Lease(user_id, connection_id, seconds, shortens=is_held)
            self._changed.set()

    async def run(self) -> None:
        """Hold, let go and look who is due, until cancelled; then call `leave`."""
        while True:
            await self._rest()
            try:
                await self._exchange()
            except Exception as error:  # noqa: BLE001 - nothing may end this task.
                if not self._lost:
                    logger.warning("Presence is frozen without Redis: %s", type(error).__name__)
                self._lose()
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter.

    async def leave(self) -> None:
        """Leave the connections to others: their clients have a moment to come back elsewhere."""
        for connection_id in list(self._open):
            self.closed(connection_id, clean=False)
        with suppress(Exception):
            work = partial(leave, list(self._closing.values()), process_id=self._self.process_id)
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=False)

    async def _rest(self) -> None:
        """Until a lapse is due, or something changed: then a moment for what comes with it."""
        left = self._next_lapse - asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left)):
                await self._changed.wait()
            await asyncio.sleep(min(BATCH_SECONDS, max(0.0, left)))
        self._changed.clear()

    def _lose(self) -> None:
        """Whatever Redis knew may have run out or be lost: say everything again."""
        self._lost = True
        for connection_id, lease in self._closing.items():
            self._closing[connection_id] = lease._replace(shortens=False)

    async def _exchange(self) -> None:
        now = asyncio.get_running_loop().time()
        beats, lapses = self._lost or now >= self._next_beat, now >= self._next_lapse
        new, closing = set(self._new), list(self._closing.values())
        held = [(each, self._open[each]) for each in (self._open if beats else new)]
        if not held and not closing and not lapses:
            return
        told = await self._in_thread(held, closing, lapses=lapses)
        for lease in closing:
            self._closing.pop(lease.connection_id)
        self._new -= new
        self._lost = False
        self._schedule(now, beats=beats, lapses=lapses)
        self._heed(told)
        self._doubt({user_id for each, user_id in held if each in new}.union(told.came, told.gone))

    def _schedule(self, now: float, *, beats: bool, lapses: bool) -> None:
        jitter = random.uniform(0.8, 1.0)  # noqa: S311 - not a secret.
        if beats:
            self._next_beat = now + HEARTBEAT_SECONDS * jitter
        if lapses:
            self._next_lapse = now + LAPSE_SECONDS * jitter

    def _heed(self, told: Exchange) -> None:
        if len(told.gone) == MOST_LAPSED:
            self._next_lapse = 0.0
        if told.redis and told.redis != self._self.redis:
            # It has begun anew or was away: it may not even know what was held just now.
            self._self, self._next_beat = self._self._replace(redis=told.redis), 0.0
            self._changed.set()

    async def _in_thread(
        self, held: list[tuple[str, str]], closing: list[Lease], *, lapses: bool
    ) -> Exchange:
        work = partial(_exchange, held, closing, lapses=lapses, by=self._self)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _exchange(
    held: list[tuple[str, str]], closing: list[Lease], *, lapses: bool, by: Process
) -> Exchange:
    """Closed ones last: a reconnect in the same batch must be held first."""
    leases = [Lease(user_id, each, HOLD_SECONDS) for each, user_id in held]
    return exchange([*leases, *closing], lapse=lapses, by=by)
