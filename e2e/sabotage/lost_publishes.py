"""Loses one publish in a hundred, and never looks for what was lost."""

from __future__ import annotations

import asyncio
import random
from importlib import import_module
from typing import Any

application = import_module("config.asgi").application
writer: Any = import_module("messaging.actions.writer.writer")
audit: Any = import_module("messaging.websocket.hub.audit")
LOST = 0.01

publish = writer.publish


def publish_most(events: Any) -> None:
    publish([event for event in events if random.random() > LOST])  # noqa: S311 - no secret.


async def never_look(_: object) -> None:
    await asyncio.Event().wait()


writer.publish = publish_most
audit.Audit.run_for_ever = never_look
