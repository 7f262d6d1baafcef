"""Tells of those who may have come or gone, and looks for those who were forgotten."""

import asyncio
import logging
import random
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from django.db import connection

from messaging.actions.presence.leases import may_heal
from messaging.actions.presence.told import end_custom_statuses, forgotten, settle

logger: Final = logging.getLogger(__name__)

REST_SECONDS: Final = 1.0
HEAL_SECONDS: Final = 5.0


class Teller:
    """Those in doubt, told of as soon as both stores answer."""

    def __init__(self) -> None:
        self._in_doubt: set[str] = set()
        self._doubted = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "presence-telling")
        self._failing = False

    def doubt(self, user_ids: Collection[str]) -> None:
        """Find out soon whether these people are here, and tell it if it is news."""
        if user_ids:
            self._in_doubt.update(user_ids)
            self._doubted.set()

    async def run(self) -> None:
        """Tell until cancelled; then call `leave`."""
        while True:
            with suppress(TimeoutError):
                wait = REST_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - jitter.
                async with asyncio.timeout(wait):
                    await self._doubted.wait()
            self._doubted.clear()
            doubted, self._in_doubt = self._in_doubt, set()
            still_in_doubt = await self._settle(doubted)
            self._in_doubt |= still_in_doubt

    def leave(self) -> None:
        self._thread.submit(connection.close)
        self._thread.shutdown(wait=False)

    async def _settle(self, user_ids: set[str]) -> set[str]:
        """Who is still in doubt: everybody, where a store is away."""
        loop = asyncio.get_running_loop()
        try:
            user_ids = await loop.run_in_executor(self._thread, _settle, user_ids)
            self._failing = False
        except Exception as error:  # noqa: BLE001 - nothing may end this task.
            if not self._failing:
                logger.warning("Who came and went is not told: %s", type(error).__name__)
            self._failing = True
            await asyncio.sleep(REST_SECONDS / 2)
        return user_ids


def _settle(user_ids: set[str]) -> set[str]:
    try:
        if may_heal(HEAL_SECONDS):
            end_custom_statuses()
            user_ids = user_ids | forgotten()
        return settle(user_ids)
    except Exception:
        # It may be the connection that failed: the next call gets a new one.
        connection.close()
        raise
