"""Somebody at a socket who reads what comes, and says so."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from e2e.chaos.clients.listener import Listener

if TYPE_CHECKING:
    from e2e.chaos.clients.script import Frame

MARK_SECONDS = 1.0


class Observer(Listener):
    """Moves his markers to what he heard last."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.last_seq: dict[int, int] = {}

    def _heard(self, frame: Frame, **fields: Any) -> None:
        super()._heard(frame, **fields)
        if "seq" in fields:
            self.last_seq[fields["room"]] = fields["seq"]

    async def mark_read(self) -> None:
        """Read what came last, in one room after the other, until nobody writes any more."""
        while self.script.is_writing:
            await asyncio.sleep(random.uniform(0.5, 1.5) * MARK_SECONDS)
            for room, seq in random.sample(
                list(self.last_seq.items()), k=min(1, len(self.last_seq))
            ):
                await self._mark(room, seq)

    async def _mark(self, room: int, seq: int) -> None:
        self._note("mark", "invoke", room=room, seq=seq)
        try:
            answer = await self.ask({"type": "read", "room": room, "seq": seq})
        except ConnectionError as error:
            self._note("mark", "info", room=room, error=str(error))
            return
        if answer["type"] == "ack":
            self._note("mark", room=room, seq=answer["seq"])
        else:
            self._note("mark", "info", room=room, error=answer["code"])
