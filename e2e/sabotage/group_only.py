"""Asks whether somebody may hear a room only when his socket joins it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

application = import_module("config.asgi").application
roster: Any = import_module("messaging.websocket.hub.roster")
seats: Any = import_module("messaging.websocket.hub.seats")


def may_hear(seat: object, told: object) -> bool:  # noqa: ARG001 - as it is called.
    return True


def stay(*_: object) -> None:
    """Whoever is in stays in."""


seats.Seat.may_hear = may_hear
roster.Roster._end = stay  # noqa: SLF001 - that is what sabotage is.
