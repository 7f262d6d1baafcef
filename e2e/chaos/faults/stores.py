"""Postgres and Redis that are full, crowded, restarted or held."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from redis import Redis

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd

_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'messaging' AND pid <> pg_backend_pid()
"""


def stop_postgres(sign: signal.Signals) -> Callable[[Crowd], AbstractContextManager[object]]:
    """End it by a signal of its own: SIGINT is a fast shutdown, SIGQUIT an immediate one."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        process = crowd.stack.process("postgres")
        process.child.send_signal(sign)
        process.child.wait(20)
        yield
        crowd.stack.restart("postgres")

    return strike


@contextmanager
def fill_redis(crowd: Crowd) -> Iterator[None]:
    """It refuses every command that would take memory."""
    with Redis.from_url(crowd.stack.redis.url) as redis:
        redis.config_set("maxmemory", "1mb")
        try:
            yield
        finally:
            redis.config_set("maxmemory", "0")


@contextmanager
def forget_redis(crowd: Crowd) -> Iterator[None]:
    """All its keys are gone, again and again."""
    with Redis.from_url(crowd.stack.redis.url) as redis:
        for _ in range(5):
            redis.flushall()
            time.sleep(1)
        yield


@contextmanager
def refuse_connections(crowd: Crowd) -> Iterator[None]:
    """Every connection of messaging_service is ended, and it gets no new one."""
    with closing(crowd.stack.postgres.connect("messaging")) as link, link.cursor() as cursor:
        cursor.execute("ALTER ROLE messaging CONNECTION LIMIT 0")
        cursor.execute(_END_OTHERS)
        try:
            yield
        finally:
            cursor.execute("ALTER ROLE messaging CONNECTION LIMIT -1")


@contextmanager
def hold_a_room(crowd: Crowd) -> Iterator[None]:
    """Somebody holds the row of one room, as no action of ours may for so long."""
    with closing(crowd.stack.postgres.connect("messaging")) as link:
        link.autocommit = False
        with link.cursor() as cursor:
            cursor.execute("SELECT 1 FROM rooms WHERE id = %s FOR UPDATE", [min(crowd.rooms)])
        crowd.script.note("somebody", "phase", event="hold", room=min(crowd.rooms))
        try:
            yield
        finally:
            link.rollback()
