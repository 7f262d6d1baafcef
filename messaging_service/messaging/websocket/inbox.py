"""From the writer's threads to the event loop: many outcomes with one wake-up."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

logger: Final = logging.getLogger(__name__)


class Inbox:
    """Calls on the loop what other threads post, in their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[tuple[Callable[..., None], Any, Any]] = deque()
        self._is_awake = False

    def post(self, function: Callable[..., None], first: object, second: object) -> None:
        """Call the function with two arguments on the loop, in order; a closed loop forgets it."""
        self._calls.append((function, first, second))
        if not self._is_awake and not self._loop.is_closed():
            self._is_awake = True
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._is_awake = False
        while self._calls:
            function, first, second = self._calls.popleft()
            try:
                function(first, second)
            except Exception:
                logger.exception("One outcome could not be told.")


_inboxes: dict[asyncio.AbstractEventLoop, Inbox] = {}


def inbox_of(loop: asyncio.AbstractEventLoop) -> Inbox:
    """The one inbox of a loop."""
    if loop not in _inboxes:
        _inboxes.clear()
        _inboxes[loop] = Inbox(loop)
    return _inboxes[loop]
