"""Keeps the connections of this process held, so that who is here is known to be here.

Two tasks, each with a thread of its own: one holds leases in Redis, the other tells who came and
went. So neither a frozen Redis nor a frozen Postgres makes the loop, or the other task, wait.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

from django.db import connection

from messaging.actions.presence.leases import (
    BROKEN_SECONDS,
    CLEAN_SECONDS,
    HOLD_SECONDS,
    Exchange,
    Lease,
    exchange,
    may_heal,
)
from messaging.actions.presence.told import forgotten, settle

logger: Final = logging.getLogger(__name__)

BATCH_SECONDS: Final = 0.1
LAPSE_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15.0
HEAL_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.5
# Closed by the client: it went away, or said nothing. All else is a connection that broke.
CLEAN_CODES: Final = frozenset({1000, 1001, 1005})

P = ParamSpec("P")
T = TypeVar("T")


class Keeper:
    """The connections of this process; `opened` and `closed` only note what happened."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._new: set[str] = set()
        self._closing: dict[str, Lease] = {}
        self._in_doubt: set[str] = set()
        self._changed = asyncio.Event()
        self._doubted = asyncio.Event()
        self._lost = True
        self._redis = ""
        self._next_lapse = self._next_beat = 0.0
        self._leases = ThreadPoolExecutor(1, "presence-leases")
        self._telling = ThreadPoolExecutor(1, "presence-telling")
        self._tasks: list[asyncio.Task[None]] = []

    def opened(self, connection_id: str, user_id: str) -> None:
        """A connection is open; its id is unlike any other's, in every process."""
        self._open[connection_id] = user_id
        self._new.add(connection_id)
        self._changed.set()

    def closed(self, connection_id: str, *, clean: bool) -> None:
        """It is closed, by its client (`clean`, see CLEAN_CODES) or not; unknown ids are none."""
        user_id = self._open.pop(connection_id, None)
        if user_id is not None:
            seconds = CLEAN_SECONDS if clean else BROKEN_SECONDS
            is_held = connection_id not in self._new and not self._lost
            self._new.discard(connection_id)
            self._closing[connection_id] = Lease(user_id, connection_id, seconds, shortens=is_held)
            self._changed.set()

    def start(self) -> None:
        self._tasks = [asyncio.create_task(work) for work in (self._hold(), self._tell())]

    async def stop(self) -> None:
        """Leave the connections to others: their clients have a moment to come back elsewhere."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection_id in list(self._open):
            self.closed(connection_id, clean=False)
        with suppress(Exception):
            await self._in(self._leases, exchange, list(self._closing.values()), lapse=False)
        self._telling.submit(connection.close)
        self._leases.shutdown(wait=False)
        self._telling.shutdown(wait=False)

    async def _hold(self) -> None:
        while True:
            await self._rest()
            try:
                await self._exchange()
            except Exception as error:  # noqa: BLE001 - nothing may end this task.
                if not self._lost:
                    logger.warning("Presence is frozen without Redis: %s", type(error).__name__)
                self._lose()
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter.

    async def _rest(self) -> None:
        """Until a lapse is due, or something changed: then a moment for what comes with it."""
        left = self._next_lapse - asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(0.0, left))
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
        told = await self._in(self._leases, _exchange, held, closing, lapses=lapses)
        for lease in closing:
            self._closing.pop(lease.connection_id)
        self._new -= new
        self._lost = False
        self._schedule(now, beats=beats, lapses=lapses)
        self._heed(told, {user_id for each, user_id in held if each in new})

    def _schedule(self, now: float, *, beats: bool, lapses: bool) -> None:
        jitter = random.uniform(0.8, 1.0)  # noqa: S311 - not a secret.
        if beats:
            self._next_beat = now + HEARTBEAT_SECONDS * jitter
        if lapses:
            self._next_lapse = now + LAPSE_SECONDS * jitter

    def _heed(self, told: Exchange, new: set[str]) -> None:
        self._doubt(new.union(told.came, told.gone))
        if told.redis and told.redis != self._redis:
            # It has begun anew, and knows nothing: perhaps not even what was held just now.
            self._redis, self._next_beat = told.redis, 0.0
            self._changed.set()

    def _doubt(self, user_ids: set[str]) -> None:
        if user_ids:
            self._in_doubt |= user_ids
            self._doubted.set()

    async def _tell(self) -> None:
        while True:
            wait = LAPSE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - jitter.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._doubted.wait(), wait)
            self._doubted.clear()
            doubted, self._in_doubt = self._in_doubt, set()
            try:
                doubted = await self._in(self._telling, _settle, doubted)
            except Exception as error:  # noqa: BLE001 - as above; they stay in doubt.
                if not self._lost:
                    logger.warning("Who came and went is not told: %s", type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS)
            self._in_doubt |= doubted

    async def _in(
        self, pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        work = asyncio.get_running_loop().run_in_executor(pool, lambda: function(*args, **kwargs))
        return await work


def _exchange(held: list[tuple[str, str]], closing: list[Lease], *, lapses: bool) -> Exchange:
    """Closed ones last: a reconnect in the same batch must be held first."""
    leases = [Lease(user_id, each, HOLD_SECONDS) for each, user_id in held]
    return exchange([*leases, *closing], lapse=lapses)


def _settle(user_ids: set[str]) -> set[str]:
    """Tell what changed, and be the healer if it is time; returns who is still in doubt."""
    try:
        return settle(user_ids | forgotten() if may_heal(HEAL_SECONDS) else user_ids)
    except Exception:
        # It may be the connection that failed: the next call gets a new one.
        connection.close()
        raise


_keeper: Keeper | None = None


def keeper() -> Keeper:
    """The keeper of this process, on the loop it is used from."""
    global _keeper  # noqa: PLW0603 - there is one loop, so one keeper, in a process.
    if _keeper is None:
        _keeper = Keeper()
        _keeper.start()
    return _keeper


def start_keeper() -> None:
    """Begin to hold connections, and to notice whose are over."""
    keeper()


async def stop_keeper() -> None:
    """Give the connections that are still open ten seconds to come back elsewhere."""
    global _keeper
    if _keeper is not None:
        stopped, _keeper = _keeper, None
        await stopped.stop()
