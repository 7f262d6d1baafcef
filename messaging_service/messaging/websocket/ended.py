"""Sessions that end while sockets of theirs are opened, or open."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import connection

from messaging.actions.sessions import ended_sessions
from messaging.websocket.threads import in_database_thread
from service_kit.tokens import Claims

logger: Final = logging.getLogger(__name__)

# The loop waits meanwhile, and with it every socket.
LONGEST_WAIT_SECONDS: Final = 1.5

# Of its own: whoever else waits for the database must not keep the loop.
_thread: Final = ThreadPoolExecutor(1, "ended-sessions")


async def refuse_ended(claims: Claims) -> None:
    """Raise `session_revoked` for a session that has ended, `unavailable` if nobody can tell."""
    if not ended_sessions().is_fresh:
        await in_database_thread(ended_sessions().look_if_stale)
    ended_sessions().refuse(claims)


def look_again(*, otherwise: Callable[[], None]) -> None:
    """Know what has ended before the loop goes on, or else do something, soon."""
    try:
        _thread.submit(_look).result(LONGEST_WAIT_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody can tell.
        logger.warning("After a standstill nobody can tell what ended: %s", type(error).__name__)
        otherwise()


def _look() -> None:
    try:
        ended_sessions().look()
    except Exception:
        # It may be the connection that failed: the next call gets a new one.
        connection.close()
        raise
