"""Freezing a real Postgres: the postmaster and every backend, with the kernel's own means."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.actions.stage import new_link


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
        _tell(pids, signal.SIGSTOP)
        yield
    finally:
        _tell(pids, signal.SIGCONT)


def _tell(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        # What was on its way out may be gone.
        with suppress(ProcessLookupError):
            os.kill(pid, what)
