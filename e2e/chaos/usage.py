"""What each part of a system takes: memory, files, threads, connections, keys."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis

from e2e.chaos.at_work import put_to_work
from e2e.history.operations import Operation, now
from local.processes import family_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PAGE_KILOBYTES = os.sysconf("SC_PAGE_SIZE") // 1024


def usage(stack: Stack) -> Iterator[tuple[str, str, int]]:
    """Give the part, what is counted, and how much of it there is.

    Processes of one kind are one part: clients go from one to another.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for process in stack.processes:
        part, _, _ = process.name.partition("-")
        for pid in family_of(process.pid) if part != "postgres" else ():
            counted[part, "kilobytes"] += _kilobytes(pid)
            counted[part, "files"] += _files(pid)
            counted[part, "threads"] += _threads(pid)
    yield from ((part, what, number) for (part, what), number in counted.items())
    with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE client_port IS NOT NULL")
        yield "postgres", "connections", cursor.fetchall()[0][0]
    with Redis.from_url(stack.redis.url) as redis:
        yield "redis", "keys", int(redis.dbsize())


def measured(stack: Stack, when: str) -> list[Operation]:
    """The same as operations, of a system whose every thread has worked: before, or after."""
    put_to_work(stack)
    return [
        Operation(at=now(), who=who, act="usage", event=what, seq=number, via=when)
        for who, what, number in usage(stack)
    ]


def _kilobytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KILOBYTES


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
