"""What socket processes tell each other to do; its truth is kept elsewhere.

close    close these of your connections, with this code and reason
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from channels.layers import channel_layers, get_channel_layer
from redis.exceptions import RedisError

logger: Final = logging.getLogger(__name__)

GROUP: Final = "parley.control"
PAUSE_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 3.0
SILENCE_SECONDS: Final = 10.0
BEAT: Final = {"type": "beat"}

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
        while True:
            # A layer of its own each time: one whose receiver has died never hears again.
            layer = channel_layers.make_backend("default")
            try:
                await self._listen(layer)
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody else would listen.
                logger.warning("Control is not heard: %s", type(error).__name__)
            finally:
                with suppress(Exception):
                    await layer.flush()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self, layer: Any) -> None:  # noqa: ANN401 - untyped.
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        beating = asyncio.create_task(_beat(layer, channel))
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await layer.receive(channel)
                if message["type"] != BEAT["type"]:
                    self._hear(message)
        finally:
            beating.cancel()

    def _hear(self, message: Message) -> None:
        try:
            self._heard(message)
        except Exception:
            logger.exception("What was told could not be done.")


async def _beat(layer: Any, channel: str) -> None:  # noqa: ANN401 - untyped.
    """Send oneself something now and then: who does not hear it does not hear the others."""
    while True:
        with suppress(RedisError):
            await layer.send(channel, BEAT)
        await asyncio.sleep(BEAT_SECONDS)
