"""Every thread that answers requests, at work: from then on each keeps what that takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

import httpx

from e2e.people import PASSWORD, Person
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from subprocess import Popen

    from local.stack import Stack

# Of one process; and one person may not try more than five at once.
THREADS = 8
PEOPLE, EACH = 4, 4
_at_work: Final[WeakSet[Popen[bytes]]] = WeakSet()


def put_to_work(stack: Stack) -> None:
    """Let each HTTP process that has begun since the last time answer many at once."""
    ways = {_log_in: stack.auth_processes, _list_rooms: stack.messaging_processes}
    new = [
        (way, process)
        for way, processes in ways.items()
        for process in processes
        if process.child not in _at_work
    ]
    if not new:
        return
    with ExitStack() as there, ThreadPoolExecutor(THREADS) as together:
        people = [
            there.enter_context(Person.signs_up(stack.address, "worker")) for _ in range(PEOPLE)
        ]
        for way, process in new:
            ask = partial(way, f"http://{LOOPBACK}:{process.port}")
            list(together.map(ask, people * EACH))
            _at_work.add(process.child)


def _log_in(address: str, person: Person) -> None:
    body = {"username": person.username, "password": PASSWORD}
    url = f"{address}/api/auth/login/"
    httpx.post(url, json=body, headers={"Host": "localhost"}, timeout=30).raise_for_status()


def _list_rooms(address: str, person: Person) -> None:
    headers = {"Host": "localhost", "Authorization": f"Bearer {person.access}"}
    httpx.get(f"{address}/api/chat/rooms/", headers=headers, timeout=30).raise_for_status()
