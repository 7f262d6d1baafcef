"""What a socket process does before it ends: it goes out of sight, then sends everybody away."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, Protocol

from django.conf import settings

from messaging.websocket.background import Background
from messaging.websocket.connection import RESTARTING
from service_kit.leaving import leave_before_ending

_leaving: Final = Background()


class Sockets(Protocol):
    """Those of this process."""

    async def send_away(self, code: int, reason: str, *, seconds: float) -> None:
        """Close all of them, spread over so long."""


def leave_with_care(sockets: Sockets) -> None:
    """From here on end so when asked to; only where the server runs in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def begin(end: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(lambda: _leaving.start(_leave(sockets, end)))

    leave_before_ending(begin)


async def _leave(sockets: Sockets, end: Callable[[], None]) -> None:
    """Where new ones still come meanwhile, the server closes them in the end, as it always does."""
    await asyncio.sleep(settings.LEAVING_SECONDS)
    await sockets.send_away(RESTARTING, "Restarting.", seconds=settings.LEAVING_SECONDS)
    end()
