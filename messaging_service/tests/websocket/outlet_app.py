"""An ASGI application whose clients say what to send them: for tests of outlets on real servers.

At `/queued/` the server's `send` is always awaited; elsewhere the outlet is the one that fits. Over
HTTP it tells what it has counted.
"""

import asyncio
import json
import os
from typing import Any

from prometheus_client import generate_latest

from messaging.websocket.frames import Frame
from messaging.websocket.outlets import Outlet, QueuedOutlet, direct, outlet_for, queued

for way in (direct, queued):
    way.CUT_AFTER_SECONDS = float(os.environ["CUT_AFTER_SECONDS"])  # type: ignore[attr-defined]
_tasks: set[asyncio.Task[None]] = set()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": generate_latest()})
        return
    await receive()
    await send({"type": "websocket.accept"})
    outlet = QueuedOutlet(send) if scope["path"] == "/queued/" else outlet_for(send)
    while (event := await receive())["type"] == "websocket.receive":
        await _carry_out(outlet, json.loads(event["text"]))


async def _carry_out(outlet: Outlet, wanted: dict[str, Any]) -> None:
    if "which" in wanted:
        outlet.send(Frame(type(outlet).__name__.encode()))
    for size in wanted.get("sizes", []):
        outlet.send(Frame(b"x" * size))
    if "text" in wanted:
        outlet.send(Frame(wanted["text"].encode()))
    if "flood" in wanted:
        task = asyncio.create_task(_flood(outlet, wanted["flood"], wanted["size"]))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    if "close" in wanted:
        await outlet.close(wanted["close"], "as you wished")
        outlet.send(Frame(b"too late"))
        await outlet.close(4000)


async def _flood(outlet: Outlet, count: int, size: int) -> None:
    for _ in range(count):
        outlet.send(Frame(b"y" * size))
        await asyncio.sleep(0)
