"""One open socket in one room: reads commands, answers them, and is told by the hub."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from messaging.actions.writer import Outcome
from messaging.websocket.commands import COMMANDS, Command
from messaging.websocket.frames import error_frame, message_ack_frame
from messaging.websocket.hub import Feed
from messaging.websocket.inbox import inbox_of
from messaging.websocket.outlets import Outlet
from service_kit.decoding import decode_object
from service_kit.refusals import Refusal, as_refusal
from service_kit.tokens import Claims

logger: Final = logging.getLogger(__name__)

MOST_UNSETTLED: Final = 64
LONGEST_REF: Final = 64


class Connection:
    """Everything a command needs to know of the socket it came over."""

    def __init__(self, *, claims: Claims, room_id: int, feed: Feed, outlet: Outlet) -> None:
        self.claims = claims
        self.room_id = room_id
        self.feed = feed
        self.outlet = outlet
        self._free = asyncio.Semaphore(MOST_UNSETTLED)
        self._loop = asyncio.get_running_loop()

    async def receive(self, text: str | None) -> None:
        """Carry out one frame; whatever is wrong with it is answered and changes nothing."""
        ref: str | None = None
        try:
            frame = _decode(text)
            ref = _ref(frame)
            self._check_room(frame)
            await _command(frame)(self, frame, ref)
        except Exception as error:  # noqa: BLE001 - one bad frame must not end the socket.
            self.refuse(_explain(error), ref)

    def refuse(self, refusal: Refusal, ref: str | None) -> None:
        self.outlet.send(error_frame(refusal, ref=ref, room_id=self.room_id))

    async def expect_outcome(self, ref: str | None) -> Callable[[Outcome], None]:
        """What answers one send when its outcome is known; waits while too many are not."""
        await self._free.acquire()
        inbox = inbox_of(self._loop)
        return lambda outcome: inbox.post(self._settled, ref, outcome)

    def _settled(self, ref: str | None, outcome: Outcome) -> None:
        self._free.release()
        if isinstance(outcome, Refusal):
            self.refuse(outcome, ref)
        elif ref is not None:
            self.outlet.send(
                message_ack_frame(ref, duplicate=outcome.duplicate, message=outcome.text)
            )

    def _check_room(self, frame: dict[str, Any]) -> None:
        if str(frame.get("room", self.room_id)) != str(self.room_id):
            raise Refusal("invalid", "This socket is for another room.")


def _decode(text: str | None) -> dict[str, Any]:
    if text is None:
        raise Refusal("invalid", "Frames are JSON text, not binary.")
    return decode_object(text)


def _ref(frame: dict[str, Any]) -> str | None:
    ref = frame.get("ref")
    if ref is not None and not (isinstance(ref, str) and len(ref) <= LONGEST_REF):
        raise Refusal("invalid", f"ref is a string of at most {LONGEST_REF} characters.")
    return ref


def _command(frame: dict[str, Any]) -> Command:
    kind = frame.get("type")
    command = COMMANDS.get(kind) if isinstance(kind, str) else None
    if command is None:
        raise Refusal("unknown_command", "There is no such command.")
    return command


def _explain(error: Exception) -> Refusal:
    refusal = as_refusal(error)
    if refusal is None:
        logger.error("A command failed.", exc_info=error)
        return Refusal("outcome_unknown", "Something went wrong here.")
    return refusal
