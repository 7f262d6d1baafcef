"""What happens around a socket process's life under uvicorn: at its end, nothing may be left."""

import asyncio
import gc
from typing import Any

from messaging.actions.writer import writer
from messaging.broadcast import publisher
from messaging.websocket.authentication import Receive, Send
from messaging.websocket.hub import hub, stop_hub
from messaging.websocket.leaving import leave_with_care
from messaging.websocket.presence import start_keeper, stop_keeper
from messaging.websocket.registry import registry, stop_registry


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's form.
    """Start the hub; at the end store and tell what is waiting (ASGI lifespan protocol)."""
    await receive()
    publisher().nearby = hub().overhear()
    start_keeper()
    leave_with_care(registry())
    _spare_the_collector()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await stop_registry()
    await stop_keeper()
    await stop_hub()
    await asyncio.to_thread(writer().stop)
    await asyncio.to_thread(publisher().stop)
    await send({"type": "lifespan.shutdown.complete"})


def _spare_the_collector() -> None:
    """Let it look at what is new, and hardly ever at what has stayed: it stops every socket.

    A socket is a hundred objects, of which none is garbage when it goes. Looking at ten thousand
    takes five milliseconds, and so does every look but one in a hundred.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 100, 10)
