"""What socket processes tell each other to do; its truth is kept elsewhere.

close    close these of your connections, with this code and reason
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from channels.layers import get_channel_layer

logger: Final = logging.getLogger(__name__)

GROUP: Final = "parley.control"
PAUSE_SECONDS: Final = 1.0

Message = dict[str, Any]


async def tell_to_close(connections: Iterable[str], *, code: int, reason: str) -> None:
    """Have whoever holds these connections close them; raises what Redis raises."""
    message = {"type": "close", "connections": list(connections), "code": code, "reason": reason}
    await get_channel_layer().group_send(GROUP, message)


class Control:
    """Hears what all socket processes are told, over every loss of Redis."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self._heard = heard

    async def run(self) -> None:
        """Listen until cancelled."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    self._hear(await layer.receive(channel))
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody else would listen.
                logger.warning("Control is not heard: %s", type(error).__name__)
                with suppress(Exception):
                    await layer.flush()
            await asyncio.sleep(PAUSE_SECONDS)

    def _hear(self, message: Message) -> None:
        try:
            self._heard(message)
        except Exception:
            logger.exception("What was told could not be done.")
