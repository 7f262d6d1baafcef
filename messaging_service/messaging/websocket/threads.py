"""The one way from the event loop to the database: which threads, and whose connections.

A pool of threads, each with one lasting connection of its own. Django's default, one thread for all
sockets of a process, would let one slow query stop everybody; the writer has its own thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from django.conf import settings
from django.db import Error, connection

from messaging.errors import OutcomeUnknown, Unavailable

LONGEST_WAIT_SECONDS: Final = 4.0

P = ParamSpec("P")
T = TypeVar("T")

_database: Final = ThreadPoolExecutor(settings.SOCKET_DATABASE_THREADS, "socket-database")
# Of their own: with Redis frozen, whoever shows tickets must not keep others from Postgres.
_tickets: Final = ThreadPoolExecutor(2, "socket-tickets")


async def in_database_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that may use the database.

    Raises Unavailable after four seconds, also for who still waits for a thread.
    """
    return await _in_thread(_database, lambda: _run(function, *args, **kwargs))


async def change_in_database_thread(
    function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """The same for what changes something: raises OutcomeUnknown for what had begun by then."""
    return await _in_thread(
        _database, lambda: _run(function, *args, **kwargs), if_begun=OutcomeUnknown
    )


async def in_ticket_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that may use Redis; raises as in_database_thread."""
    return await _in_thread(_tickets, lambda: function(*args, **kwargs))


async def _in_thread(
    pool: ThreadPoolExecutor,
    work: Callable[[], T],
    *,
    if_begun: type[Unavailable | OutcomeUnknown] = Unavailable,
) -> T:
    future = pool.submit(work)
    try:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        raise (Unavailable() if future.cancel() else if_begun()) from None


def _run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # As Django does before a request: Postgres may have restarted since this thread's last.
    connection.close_if_unusable_or_obsolete()
    try:
        return function(*args, **kwargs)
    except Error:
        # It may be the connection that failed: the next call gets a new one.
        connection.close()
        raise
