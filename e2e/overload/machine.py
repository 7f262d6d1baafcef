"""What of the machine's processors was used, and by whom."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.processes import family_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE, _USED, _USED_BY_ENDED = slice(3, 5), slice(11, 13), slice(13, 15)


def busy_seconds() -> float:
    """What all processors together have worked, for whomever."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - sum(fields[_IDLE])) / _TICKS


def spent_seconds(pid: int) -> float:
    """What a process and its children have worked, with those that have ended."""
    *children, own = map(_fields, reversed(family_of(pid)))
    return (sum(sum(each[_USED]) for each in (*children, own)) + sum(own[_USED_BY_ENDED])) / _TICKS


def put_first(pids: Iterable[int]) -> bool:
    """Have these processes, and what they start, run before all others; False without the right.

    So whoever abuses them takes no processor away, as if it had its own.
    """
    tasks = [task for pid in pids for each in family_of(pid) for task in _tasks(each)]
    try:
        for task in tasks:
            with suppress(ProcessLookupError):
                os.sched_setscheduler(task, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return False
    return True


def _tasks(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return []


def _fields(pid: int) -> list[int]:
    """Those after the name; the first is a letter, here 0; none of what has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return []
    return [0, *map(int, text.rpartition(")")[2].split()[1:])]
