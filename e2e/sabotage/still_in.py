"""Closes no socket when its session ends."""

from __future__ import annotations

from importlib import import_module
from typing import Any

application = import_module("config.asgi").application
registry: Any = import_module("messaging.websocket.registry")


def close_nobody(_: object) -> None:
    """Whoever is in stays in."""


registry.close_those_that_end = close_nobody
