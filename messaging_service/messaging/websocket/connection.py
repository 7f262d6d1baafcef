"""One open socket, as the commands that come over it see it."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, Final

from messaging.actions.writer import Outcome
from messaging.serializers.fields import as_id
from messaging.websocket.background import Background
from messaging.websocket.expiry import Expiry
from messaging.websocket.frames import Frame, error_frame, message_ack_frame
from messaging.websocket.inbox import inbox_of
from messaging.websocket.outlets import Outlet
from messaging.websocket.patience import Patience
from messaging.websocket.places import Places
from service_kit.addresses import caller_address
from service_kit.refusals import Refusal, as_refusal
from service_kit.rendering import encode_json
from service_kit.security import tell_refused
from service_kit.tokens import Claims

logger: Final = logging.getLogger(__name__)

# Of an id unlike any other's, in every process.
_PROCESS: Final = uuid.uuid4().hex
_numbers: Final = count()
_closing: Final = Background()

MOST_UNSETTLED: Final = 64
FAILED: Final = 1011
REMOVED: Final = 4403
RESTARTING: Final = 1012

# What closes a socket, by the code of the refusal (contract §5).
CLOSE_CODES: Final = {
    "invalid": 4400,
    "not_authenticated": 4401,
    "token_expired": 4401,
    "session_revoked": 4401,
    "not_found": 4403,
    "rate_limited": 4429,
    "unavailable": 1013,
}


def close_code(refusal: Refusal | None) -> int:
    """What a socket is closed with for a refusal; None stands for what nobody expected."""
    return CLOSE_CODES.get(refusal.code, FAILED) if refusal else FAILED


class Connection:
    """Whose socket it is, where it listens, and the way to answer.

    `room_id` is the one room of a room's socket; the other sockets have None. One that is not
    `in_rooms` takes none of the commands that are about them.
    """

    def __init__(self, *, claims: Claims, outlet: Outlet, room_id: int | None = None) -> None:
        self.id = f"{_PROCESS}{next(_numbers):x}"
        self.claims = claims
        self.outlet = outlet
        self.room_id = room_id
        self.in_rooms = True
        self.is_closing = False
        self.listen_through(outlet)
        self._address = caller_address.get()
        self._expiry = Expiry()
        self.patience = Patience()
        self._free = asyncio.Semaphore(MOST_UNSETTLED)
        self._inbox = inbox_of(asyncio.get_running_loop())
        self._companions = Background()

    def listen_through(self, outlet: Outlet) -> None:
        """Hear what is told, elsewhere than commands are answered; only before it listens."""
        self.places = Places(
            user_id=self.claims.user_id,
            outlet=outlet,
            left=self._left,
            failed=self.fail,
            sent_away=self._send_away,
        )

    def accompany(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something as long as the socket is open; it closes if that fails."""
        self._companions.start(work, failed=self.fail)

    def live_as(self, claims: Claims) -> None:
        """Live to the end of this token."""
        self.claims = claims
        self._expiry.follow(claims, warn=self._warn, end=self._expire)

    def leave(self) -> None:
        """Listen nowhere any more."""
        self._expiry.cancel()
        self.places.close()
        # They know each other, and collecting garbage stops every socket.
        del self.places
        self._companions.cancel()

    def room_of(self, frame: dict[str, Any]) -> int:
        """The room a command is for; raises `invalid`."""
        room_id = as_id(frame.get("room", self.room_id))
        if room_id is None:
            raise Refusal("invalid", "Name the room by its number: room.")
        if self.room_id is not None and room_id != self.room_id:
            raise Refusal("invalid", "This socket is for another room.")
        return room_id

    def refuse(self, refusal: Refusal, ref: str | None, room_id: int | None = None) -> None:
        """Answer a command with no; errors are told with or without a `ref`."""
        if not self.patience.is_over:
            self._tell(refusal)
            self.outlet.send(error_frame(refusal, ref=ref, room_id=room_id or self.room_id))
            if self.patience.refused(refusal):
                self.close(CLOSE_CODES["rate_limited"], "Too fast, too often.")

    def _tell(self, refusal: Refusal) -> None:
        user_id, session_id = self.claims.user_id, self.claims.session_id
        tell_refused(refusal, user_id=user_id, session_id=session_id, address=self._address)

    async def expect_outcome(self, ref: str | None, room_id: int) -> Callable[[Outcome], None]:
        """What answers one send when its outcome is known; waits while too many are not."""
        await self._free.acquire()
        return lambda outcome: self._inbox.post(self._settled, ref, room_id, outcome)

    def _settled(self, ref: str | None, room_id: int, outcome: Outcome) -> None:
        self._free.release()
        if isinstance(outcome, Refusal):
            self.refuse(outcome, ref, room_id)
            return
        self.patience.carried_out()
        if ref is not None:
            self.outlet.send(message_ack_frame(ref, outcome.text, duplicate=outcome.duplicate))

    def close(self, code: int, reason: str) -> None:
        """Close the socket soon, after what was sent before; nothing more is carried out."""
        self.is_closing = True
        _closing.start(self.outlet.close(code, reason))

    def _left(self, room_id: int) -> None:
        if room_id == self.room_id:
            self.close(REMOVED, "You are not in this room.")

    def fail(self, error: Exception) -> None:
        """Close a socket that must not go on as if nothing was missing."""
        refusal = as_refusal(error)
        if refusal is None:
            logger.error("A socket could not catch up.", exc_info=error)
        self.close(close_code(refusal), refusal.detail if refusal else "")

    def _send_away(self) -> None:
        self.close(RESTARTING, "The database went back.")

    def _warn(self, seconds: int) -> None:
        self.outlet.send(Frame(encode_json({"type": "auth.expiring", "in": seconds})))

    def _expire(self) -> None:
        self.close(CLOSE_CODES["token_expired"], "The token has expired.")
