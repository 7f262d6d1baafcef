"""One runner per folder: the second one is told about the first."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEFTOVER_SECONDS = 10.0


@contextmanager
def only_one(home: Path, *, address: str) -> Iterator[None]:
    """Hold the folder. Raises CannotStartError if another runner does, naming it.

    The lock is the kernel's: a killed runner leaves none behind.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(home / "runner", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        raise CannotStartError(
            f"{home} belongs to another user. Run as that user, or remove the folder."
        ) from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStartError(f"Already running from this checkout: {file.read()}") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}, {address}")
        file.flush()
        yield


def wait_for_leftovers(home: Path) -> None:
    """Wait for a Postgres whose runner was killed: it is on its way down, and holds its files."""
    file = home / "postgres" / "data" / "postmaster.pid"
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while time.monotonic() < deadline and file.exists() and _alive(file):
        time.sleep(0.05)


def _alive(file: Path) -> bool:
    try:
        os.kill(int(file.read_text().split(maxsplit=1)[0]), 0)
    except (OSError, ValueError, IndexError):
        return False
    return True
