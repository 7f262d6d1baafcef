"""From other threads to the event loop: many calls with one wake-up."""

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
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._is_awake = False

    def post(self, function: Callable[..., None], *arguments: object) -> None:
        """Call the function on the loop, in order; a closed loop forgets it."""
        self._calls.append((function, arguments))
        if not self._is_awake and not self._loop.is_closed():
            self._is_awake = True
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._is_awake = False
        while self._calls:
            function, arguments = self._calls.popleft()
            try:
                function(*arguments)
            except Exception:
                logger.exception("What happened in a thread could not be told.")


_inboxes: dict[asyncio.AbstractEventLoop, Inbox] = {}


def inbox_of(loop: asyncio.AbstractEventLoop) -> Inbox:
    """The one inbox of a loop."""
    if loop not in _inboxes:
        _inboxes.clear()
        _inboxes[loop] = Inbox(loop)
    return _inboxes[loop]
