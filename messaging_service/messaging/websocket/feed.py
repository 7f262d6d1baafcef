"""What one room's local sockets have been told, and what they must wait for."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from messaging.broadcast import Envelope
from messaging.websocket.frames import Frame

if TYPE_CHECKING:
    import asyncio

    from messaging.websocket.outlets import Outlet

MOST_HELD: Final = 1_000

logger: Final = logging.getLogger(__name__)


class Feed:
    """What one room's local sockets have been told: everything up to `pos`."""

    def __init__(self, room_id: int) -> None:
        self.room_id = room_id
        self.pos = 0
        self.outlets: dict[Outlet, str] = {}
        self.held: dict[int, Envelope] = {}
        self.opening: asyncio.Task[None] | None = None
        self.is_open = False
        self.is_refilling = False
        self.users = 0

    def tell(self, text: bytes, *, author_id: str = "") -> None:
        """Hand one frame to every socket but the author's."""
        frame = Frame(text)
        for outlet, user_id in self.outlets.items():
            if user_id != author_id:
                try:
                    outlet.send(frame)
                except Exception:
                    logger.exception("One socket could not be told.")

    def take(self, envelope: Envelope) -> None:
        """Deliver what is next, drop what is known, hold what comes too early."""
        if envelope.pos == 0:
            self.tell(envelope.text, author_id=envelope.author_id)
        elif envelope.pos > self.pos or not self.is_open:
            # What is too much to hold is read from Postgres after the gap, or found by the audit.
            if len(self.held) < MOST_HELD or envelope.pos == self.pos + 1:
                self.held[envelope.pos] = envelope
            self.advance()

    def advance(self) -> None:
        """Deliver the held events that are next, as far as there is no gap."""
        if self.is_open and not self.is_refilling:
            while envelope := self.held.pop(self.pos + 1, None):
                self.pos = envelope.pos
                self.tell(envelope.text)

    def move_to(self, pos: int) -> None:
        """Everything up to `pos` has been told; forget what is held of it."""
        self.pos = max(self.pos, pos)
        for known in [held for held in self.held if held <= self.pos]:
            del self.held[known]

    def forget(self, positions: Iterable[int]) -> None:
        for pos in positions:
            self.held.pop(pos, None)
