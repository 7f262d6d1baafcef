"""One open socket in one room, as the commands that come over it see it."""

import asyncio
from collections.abc import Callable
from typing import Final

from messaging.actions.writer import Outcome
from messaging.websocket.feed import Feed
from messaging.websocket.frames import error_frame, message_ack_frame
from messaging.websocket.inbox import inbox_of
from messaging.websocket.outlets import Outlet
from service_kit.refusals import Refusal
from service_kit.tokens import Claims

MOST_UNSETTLED: Final = 64


class Connection:
    """Whose socket it is, which room it is for, and the way to answer."""

    def __init__(self, *, claims: Claims, room_id: int, feed: Feed, outlet: Outlet) -> None:
        self.claims = claims
        self.room_id = room_id
        self.feed = feed
        self.outlet = outlet
        self._free = asyncio.Semaphore(MOST_UNSETTLED)
        self._inbox = inbox_of(asyncio.get_running_loop())

    def refuse(self, refusal: Refusal, ref: str | None) -> None:
        """Answer a command with no; errors are told with or without a `ref`."""
        self.outlet.send(error_frame(refusal, ref=ref, room_id=self.room_id))

    async def expect_outcome(self, ref: str | None) -> Callable[[Outcome], None]:
        """What answers one send when its outcome is known; waits while too many are not."""
        await self._free.acquire()
        return lambda outcome: self._inbox.post(self._settled, ref, outcome)

    def _settled(self, ref: str | None, outcome: Outcome) -> None:
        self._free.release()
        if isinstance(outcome, Refusal):
            self.refuse(outcome, ref)
        elif ref is not None:
            self.outlet.send(
                message_ack_frame(ref, duplicate=outcome.duplicate, message=outcome.text)
            )
