"""Work that goes on by itself: an event loop alone keeps no more than a weak reference to it."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Some tasks, held until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(work))
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Cancel all, and return when they have ended."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
