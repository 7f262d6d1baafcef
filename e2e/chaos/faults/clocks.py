"""Wall clocks that are wrong, and one that jumps."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.chaos.faults.fault import ImpossibleError
from e2e.chaos.faults.processes import GATEWAY_SECONDS
from e2e.faults import rewired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd

SOURCE = Path(__file__).parent.parent / "clock.c"
HOUR = 3600


class Clock:
    """How many seconds the clock of whoever is given `settings` is ahead."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        self.settings = {"LD_PRELOAD": str(_library(folder)), "CLOCK_FILE": str(self._file)}

    def set(self, seconds: int) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))


def _library(folder: Path) -> Path:
    """Raises ImpossibleError where there is no compiler for C."""
    if not (compiler := shutil.which("cc")):
        raise ImpossibleError("There is no compiler for C here.")
    library = folder / "clock.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


def wrong_clock(name: str, *seconds: int) -> Callable[[Crowd], AbstractContextManager[object]]:
    """One process's clock is ahead by so much, or behind, one after the other."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        clock = Clock(crowd.stack.home)
        with rewired(crowd.stack, name, **clock.settings):
            time.sleep(GATEWAY_SECONDS)
            for each in seconds:
                clock.set(each)
                crowd.scatter()
            yield

    return strike
