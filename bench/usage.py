"""What a process takes of the machine, and which of its cores."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _CPU, _CPU_OF_ENDED = 1, slice(11, 13), slice(13, 15)


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used, with all its threads."""
    return sum(map(int, _stat(pid)[_CPU])) / _TICKS


def cpu_seconds_of_family(pid: int) -> float:
    """Return what a process and its children have used, with those that have ended."""
    ended = sum(map(int, _stat(pid)[_CPU_OF_ENDED])) / _TICKS
    return ended + sum(map(cpu_seconds, [pid, *_descendants(pid)]))


def resident_bytes(pid: int) -> int:
    """Return how much of a process lies in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def alone(pid: int) -> Iterator[None]:
    """Give a process a core of its own; all others that we started, and we, share the rest."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        yield
        return
    try:
        _pin([os.getpid(), *_descendants(os.getpid())], cores[1:])
        _pin([pid], cores[:1])
        yield
    finally:
        _pin([os.getpid(), *_descendants(os.getpid())], cores)


def _pin(pids: Iterable[int], cores: list[int]) -> None:
    """Bind every thread there is; what they start later inherits it."""
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), cores)


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                parent = int(_stat(int(folder.name))[_PARENT])
                children.setdefault(parent, []).append(int(folder.name))
    found = children.get(pid, [])
    for child in found:  # It grows while we go through it.
        found += children.get(child, [])
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields after the name, which may hold anything: the state is number 0."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
