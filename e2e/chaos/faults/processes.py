"""Processes that end, stop for a while, or run out of what they need."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.chaos.cage import caged
from e2e.faults import frozen, killed, serving
from local.ports import LOOPBACK
from local.processes import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd

# After this the gateway has looked again whether a server is up.
GATEWAY_SECONDS = 5.5
FEW_FILES = 8
LITTLE_MEMORY = 1 << 20
# Each wants a little of it.
KNOCKS = 500
NAME = "messaging_sockets-1"
DIE_SECONDS = 20.0


@contextmanager
def nothing(_: Crowd) -> Iterator[None]:
    yield


def kill(*names: str) -> Callable[[Crowd], AbstractContextManager[object]]:
    """End these at once, and start them again."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with ExitStack() as killing:
            for name in names:
                killing.enter_context(killed(crowd.stack, name))
            yield

    return strike


def freeze(name: str) -> Callable[[Crowd], AbstractContextManager[object]]:
    return lambda crowd: frozen(crowd.stack, name)


@contextmanager
def kill_sockets_in_turn(crowd: Crowd) -> Iterator[None]:
    """Each socket process is ended at once, mid-send, and started again before the next."""
    for process in crowd.stack.socket_processes:
        with killed(crowd.stack, process.name):
            time.sleep(1)
        time.sleep(1)
    yield


def die_at(point: str) -> Callable[[Crowd], AbstractContextManager[object]]:
    """A socket process ends itself on a message's way: see dying.py for where."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with serving(crowd.stack, NAME, "e2e.chaos.dying", DIE_AT=point):
            time.sleep(GATEWAY_SECONDS)
            crowd.scatter()
            crowd.stack.process(NAME).child.wait(DIE_SECONDS)
            yield

    return strike


@contextmanager
def replace_everything_in_turn(crowd: Crowd) -> Iterator[None]:
    """A rolling restart: each process of ours is asked to end, and started again."""
    for process in crowd.stack.servers:
        process.stop()
        crowd.stack.restart(process.name)
        time.sleep(GATEWAY_SECONDS)
    yield


@contextmanager
def run_out_of_files(crowd: Crowd) -> Iterator[None]:
    """A socket process may open only a few files more than it has open."""
    (pid,) = family_of(crowd.stack.process(NAME).pid)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in _files(pid))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + FEW_FILES, before[1]))
    try:
        crowd.scatter()
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@contextmanager
def run_out_of_memory(crowd: Crowd) -> Iterator[None]:
    """A socket process may take hardly any more memory than it has; it may end of that."""
    process = crowd.stack.process(NAME)
    (pid,) = family_of(process.pid)
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    taken = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (taken + LITTLE_MEMORY, before[1]))
    crowd.scatter()
    yield
    if process.alive():
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    else:
        crowd.stack.restart(NAME)


@contextmanager
def be_killed_for_memory(crowd: Crowd) -> Iterator[None]:
    """The kernel kills a socket process that wants more memory than its group may have."""
    process = crowd.stack.process(NAME)
    (pid,) = family_of(process.pid)
    assert process.port
    with caged(pid, more=LITTLE_MEMORY), ExitStack() as knocking:
        crowd.scatter()
        with suppress(OSError):
            for _ in range(KNOCKS):
                knocking.enter_context(socket.create_connection((LOOPBACK, process.port), 1))
        process.child.wait(DIE_SECONDS)
    yield
    crowd.stack.restart(NAME)


def _files(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/fd").iterdir()
