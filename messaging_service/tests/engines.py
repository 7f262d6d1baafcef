"""A Redis of a test's own, to freeze, kill and start again; whatever else runs here, frozen."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from local.ports import free_ports
from local.processes import Process
from local.redis import Redis
from messaging_service.tests.actions.stage import new_link


@contextmanager
def own_redis(folder: Path) -> Iterator[Redis]:
    """Run it on a free port, in this folder."""
    made = Redis(
        home=folder / "redis", logs=folder / "log", port=free_ports(1)[0], password="throwaway"
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Running(Protocol):
    """An engine, or a server."""

    @property
    def process(self) -> Process: ...


@contextmanager
def frozen(running: Running) -> Iterator[None]:
    """Its process does not run while the block does."""
    os.kill(running.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(running.process.pid, signal.SIGCONT)


def postgres_pids() -> list[int]:
    """The throw-away Postgres of these tests: its postmaster, then everything it started."""
    with closing(new_link()) as link:
        postmaster = _parent(link.info.backend_pid)
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [postmaster, *(pid for pid in pids if _parent(pid) == postmaster)]


def _parent(pid: int) -> int:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return 0
    return int(after_name.split()[1])


@contextmanager
def frozen_postgres() -> Iterator[None]:
    """Nothing of Postgres runs while the block does."""
    pids = postgres_pids()
    try:
        _signal(pids, signal.SIGSTOP)
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        # What was on its way out may be gone.
        with suppress(ProcessLookupError):
            os.kill(pid, what)
