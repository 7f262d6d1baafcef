"""Sessions that end while sockets of theirs are opened, or open."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

from django.db import connection
from prometheus_client import Counter

from messaging.actions.sessions import ended_sessions
from messaging.websocket.inbox import inbox_of
from messaging.websocket.standstill import standstill
from messaging.websocket.threads import in_database_thread
from service_kit.tokens import Claims

logger: Final = logging.getLogger(__name__)

REVOKED: Final = 4401, "The session has ended."
STORE_AWAY: Final = 1013, "A store is not answering."
# The loop waits meanwhile, and with it every socket.
LONGEST_WAIT_SECONDS: Final = 3.0

# Of its own: whoever else waits for the database must not keep the loop.
_thread: Final = ThreadPoolExecutor(1, "ended-sessions")
_ended: Final = Counter(
    "parley_sockets_ended_total", "Sockets closed because their session has ended."
)


class Sockets(Protocol):
    """Those of this process."""

    def close_who(self, chosen: Callable[[Claims], bool], code: int, reason: str) -> int:
        """Close the sockets of those chosen, and say how many they were."""


async def refuse_ended(claims: Claims) -> None:
    """Raise `session_revoked` for a session that has ended, `unavailable` if nobody can tell."""
    if not ended_sessions().is_fresh:
        await in_database_thread(ended_sessions().look_if_stale)
    ended_sessions().refuse(claims)


def close_those_that_end(sockets: Sockets) -> None:
    """From here on close them when their session ends, and before a standstill is over."""

    def close() -> None:
        _ended.inc(sockets.close_who(_has_ended, *REVOKED))

    def go_on() -> None:
        if not _knows_again():
            sockets.close_who(lambda _: True, *STORE_AWAY)
        close()

    inbox = inbox_of(asyncio.get_running_loop())
    ended_sessions().told = partial(inbox.post, close)
    standstill.went_on = go_on


def _has_ended(claims: Claims) -> bool:
    return claims.session_id in ended_sessions()


def _knows_again() -> bool:
    """Look what has ended, before the loop goes on; False where nobody can tell."""
    try:
        _thread.submit(_look).result(LONGEST_WAIT_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody can tell.
        logger.warning("After a standstill nobody can tell what ended: %s", type(error).__name__)
        return False
    return True


def _look() -> None:
    try:
        ended_sessions().look()
    except Exception:
        # It may be the connection that failed: the next call gets a new one.
        connection.close()
        raise
