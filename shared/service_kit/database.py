"""Waiting for Postgres, with a limit and not idly; the check that it keeps what it acknowledges."""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg2
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    POLL_WRITE,
    set_wait_callback,
)

_EVENTS = {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}
_DURABLE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply"},
}


class _Connection(Protocol):
    def poll(self) -> int: ...
    def fileno(self) -> int: ...


_USUAL = -1.0


class _Process:
    limit: float | None = None


class _Thread(threading.local):
    """What each thread keeps: its own limit, and a poll object with one descriptor registered."""

    limit: float | None = _USUAL
    meanwhile: Callable[[], object] | None = None
    fd = -1
    events = 0

    def __init__(self) -> None:
        self.poller = select.poll()


_process = _Process()
_thread = _Thread()


def install_time_limit(seconds: float = 3.0) -> None:
    """Give up on Postgres after this many seconds, per statement and per step of connecting.

    libpq has no such limit: a frozen server hangs a query for as long as it is frozen, whatever
    `statement_timeout` says. When the limit passes, psycopg2.OperationalError is raised and
    psycopg2 closes the connection. Call it once per process, before the first query; migrations
    that may take longer run inside `with time_limit(None)`. It costs 3 us per query (30 to 33 us
    for SELECT 1 over loopback). COPY and large objects do not work with it (psycopg2's
    "Coroutine support").
    """
    _process.limit = seconds
    set_wait_callback(_wait)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Use another limit in this thread while the block runs; None is no limit (migrations)."""
    before = _thread.limit
    _thread.limit = seconds
    try:
        yield
    finally:
        _thread.limit = before


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Do something, once, while Postgres is at the first statement of the block.

    Or after the block, if that did not wait; not at all if the statement could not be sent. What it
    raises comes out of the statement, closes its connection, and leaves unknown what became of it.
    """
    _thread.meanwhile = work
    try:
        yield
        _do_meanwhile()
    finally:
        _thread.meanwhile = None


def _do_meanwhile() -> None:
    work, _thread.meanwhile = _thread.meanwhile, None
    if work is not None:
        work()


def _wait(connection: _Connection) -> None:
    """Wait until psycopg2 has its answer; it may raise but must never close (that hangs)."""
    try:
        state = connection.poll()
        if state == POLL_OK:
            return
        thread = _thread
        limit = _process.limit if thread.limit == _USUAL else thread.limit
        deadline = None if limit is None else time.monotonic() + limit
        while state != POLL_OK:
            if state == POLL_READ:
                _do_meanwhile()
            fd, events = connection.fileno(), _EVENTS[state]
            if fd != thread.fd or events != thread.events:
                _register(thread, fd, events)
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not thread.poller.poll(left):
                raise psycopg2.OperationalError(f"Postgres did not answer within {limit} s")
            state = connection.poll()
    finally:
        # An error's traceback keeps this frame: whatever keeps the error keeps no connection open.
        del connection


def _register(thread: _Thread, fd: int, events: int) -> None:
    # The kernel keeps nothing for poll(), so a descriptor may stay registered between calls.
    if thread.fd not in {-1, fd}:
        thread.poller.unregister(thread.fd)
    thread.poller.register(fd, events)
    thread.fd, thread.events = fd, events


def assert_durable(cursor: Any) -> None:  # noqa: ANN401 - any DB-API cursor
    """Raise ImproperlyConfigured unless what this server acknowledges survives a power cut.

    The setting POSTGRES_MANAGED=true skips it, for servers that reach the same by other means.
    """
    if getattr(settings, "POSTGRES_MANAGED", False):
        return
    cursor.execute(
        "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name",
        [list(_DURABLE)],
    )
    weak = [f"{name}={value}" for name, value in cursor.fetchall() if value not in _DURABLE[name]]
    if weak:
        raise ImproperlyConfigured(
            f"Postgres may lose acknowledged writes ({', '.join(weak)}): turn these on,"
            " or set POSTGRES_MANAGED=true if this server is safe without."
        )
