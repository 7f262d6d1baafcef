"""What the disk takes by itself: the least that whoever keeps a message has to wait for."""

from __future__ import annotations

import os
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A page of Postgres' log, in a file of the size of its files.
PAGE_BYTES = 8_192
FILE_BYTES = 16 << 20


def kept(folder: Path, *, rate: float, seconds: float) -> list[float]:
    """Write pages at this rate, and return how long each took to be kept, in seconds.

    Of a page that is late because of the one before, that counts too.
    """
    path = folder / "disk-alone"
    with path.open("w+b") as file:
        file.write(bytes(FILE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        begin = monotonic()
        taken = [
            _keep(file.fileno(), n, due=begin + n / rate)
            for n in range(max(1, int(rate * seconds)))
        ]
    path.unlink()
    return taken


def _keep(descriptor: int, number: int, *, due: float) -> float:
    sleep(max(0.0, due - monotonic()))
    os.pwrite(descriptor, os.urandom(PAGE_BYTES), number * PAGE_BYTES % FILE_BYTES)
    os.fdatasync(descriptor)
    return monotonic() - due
