"""Work that goes on by itself: an event loop alone keeps no more than a weak reference to it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

# Longer than Redis may take to answer.
AGAIN_SECONDS: Final = 2.0

Failed = Callable[[Exception], None]


class Background:
    """Some tasks, held until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, failed: Failed | None = None) -> None:
        """`failed` is called with what the work raises, unless it is cancelled."""
        self._tasks.add(task := asyncio.create_task(work))
        task.add_done_callback(self._tasks.discard)
        if failed is not None:
            task.add_done_callback(partial(_look_at, failed))

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Cancel all until they have ended; what one cleans up should take two seconds at most.

        Once may not be enough: a library's `asyncio.wait_for` may forget it before Python 3.12.
        """
        while self._tasks:
            self.cancel()
            await asyncio.wait(self._tasks, timeout=AGAIN_SECONDS)


def _look_at(failed: Failed, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and isinstance(error := task.exception(), Exception):
        failed(error)
