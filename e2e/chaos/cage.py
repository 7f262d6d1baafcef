"""A group of the kernel's with little memory: who wants more of it is killed."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.chaos.faults.fault import ImpossibleError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where groups are made, and what holds their limit: of the first kind, and of the second.
KINDS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)
LEAVING_SECONDS = 2.0


@contextmanager
def caged(pid: int, *, more: int) -> Iterator[None]:
    """A process may take so many bytes more than it has; raises ImpossibleError."""
    group = _made(more)
    try:
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        _remove(group)


def _made(most: int) -> Path:
    for where, limit in KINDS:
        group = where / f"parley-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / limit).exists():
            (group / limit).write_text(str(most))
            return group
        group.rmdir()
    raise ImpossibleError("This machine gives us no group with a memory of its own.")


def _remove(group: Path) -> None:
    """Whoever is in it goes back to where everybody is; who was killed may take a moment to go."""
    for pid in (group / "cgroup.procs").read_text().split():
        (group.parent / "cgroup.procs").write_text(pid)
    until = time.monotonic() + LEAVING_SECONDS
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
