"""`python -m local` as somebody at a terminal sees it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.ports import free_ports


@dataclass
class Runner:
    """Each has a mark in its environment, by which whatever it leaves behind is found."""

    checkout: Path
    command: tuple[str, ...] = (sys.executable, "-m", "local")
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    ports: list[int] = field(default_factory=lambda: free_ports(2))

    def start(self, **settings: str) -> None:
        self.output = self.checkout / f"output-{self.mark}"
        ports = {"PORT": str(self.ports[0]), "OPERATORS_PORT": str(self.ports[1])}
        with self.output.open("wb") as output:
            self.child = subprocess.Popen(
                self.command,
                cwd=self.checkout,
                env={**os.environ, **ports, **settings, "MARK": self.mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self) -> str:
        """Return what it has printed once it is ready."""
        return self.says("Ctrl-C stops everything", seconds=90)

    def says(self, words: str, *, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        while words not in self.text():
            assert self.child.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)
        return self.text()

    def text(self) -> str:
        return self.output.read_text()

    def pid_of(self, name: str) -> int:
        found = re.search(rf"{name} +pid (\d+)", self.text())
        assert found is not None, self.text()
        return int(found[1])

    def interrupt(self) -> int:
        """Press Ctrl-C: the whole foreground group hears it. Return the exit code."""
        os.killpg(self.child.pid, signal.SIGINT)
        return self.child.wait(30)

    def left(self) -> list[str]:
        """Return the command line of every process of this runner that still lives."""
        return [_command(pid) for pid in self._pids()]

    def left_after(self, seconds: float) -> list[str]:
        """Return what is left after so long, or earlier if nothing is."""
        deadline = time.monotonic() + seconds
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.left()

    def end(self) -> None:
        if hasattr(self, "child"):
            self.child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(30)
            for pid in self._pids():
                os.kill(pid, signal.SIGKILL)
            self.child.wait()

    def _pids(self) -> list[int]:
        wanted = f"MARK={self.mark}".encode()
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _has(folder, wanted)]


def _has(process: Path, wanted: bytes) -> bool:
    with suppress(OSError):
        # A process that has ended and was not waited for has no environment.
        return wanted in (process / "environ").read_bytes().split(b"\0")
    return False


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return f"{pid}, just gone"
