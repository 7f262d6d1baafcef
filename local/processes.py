"""One child process: how it is started, watched, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import CannotStartError, ProcessDiedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TETHER = Path(__file__).with_name("tether.py")
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.02
LAST_LINES = 20


@dataclass(kw_only=True)
class Process:
    """A child in a session of its own, so that Ctrl-C reaches it only through the runner.

    `port` is where it listens, for people to read. `account` is `uid:gid` or "-". `farewell` is
    what the kernel sends it when the runner dies: a kill, unless it ends at once by less.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str = "-"
    keeps: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    farewell: signal.Signals = signal.SIGKILL
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def child(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started.")
        return self._child

    def start(self) -> None:
        """Start it, its output in a new log. Only from the main thread.

        The kernel's death signal follows the thread that forked: a child of a worker thread would
        be killed as soon as that thread is done.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("Processes are started from the main thread, or die with another.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.before"))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*self._tether(), *self.command],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.keeps,
            )

    def run(self, *, seconds: float = 120.0) -> None:
        """Start it and wait for its success. Raises ProcessDiedError otherwise."""
        self.start()
        self.finish(seconds=seconds)

    def finish(self, *, seconds: float = 120.0) -> None:
        """Wait for the success of what `start` began. Raises ProcessDiedError otherwise."""
        try:
            with suppress(subprocess.TimeoutExpired):
                if self.child.wait(seconds) == 0:
                    return
        finally:
            # Also when Ctrl-C ends the waiting.
            self.kill()
        raise ProcessDiedError(self)

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Return once `ready()`. Raises ProcessDiedError, or CannotStartError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise ProcessDiedError(self)
            if time.monotonic() > deadline:
                raise CannotStartError(
                    f"{self.name} was not ready within {seconds:.0f} s. The end of {self.log}:\n"
                    f"{self.last_lines()}"
                )
            time.sleep(POLL_SECONDS)

    def ask_to_stop(self) -> None:
        if self.alive():
            self.child.send_signal(self.stop_signal)

    def stop(self, *, seconds: float = GRACE_SECONDS) -> None:
        """End it in order, and by force when it takes longer than `seconds`."""
        self.ask_to_stop()
        self.see_off(seconds=seconds)

    def see_off(self, *, seconds: float) -> None:
        """Wait for the end of what was asked to stop, and force it after `seconds`."""
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
            self.kill()

    def kill(self) -> None:
        """End it and everything it started, at once.

        Children in sessions of their own may first notice that it is gone: Postgres' do, and no
        other Postgres starts there while one of them is left.
        """
        if self._child is None:
            return
        family = family_of(self._child.pid) if self.alive() else []
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        _see_off(family)

    def ending(self) -> str:
        """Say in words how it ended."""
        code = self.child.poll()
        if code is None:
            return f"(pid {self.pid}) hangs"
        if code < 0:
            return f"(pid {self.pid}) was ended by {signal.Signals(-code).name}"
        return f"(pid {self.pid}) ended with exit code {code}"

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (empty)"

    def _tether(self) -> list[str]:
        options = [str(os.getpid()), str(int(self.farewell)), self.account]
        return [sys.executable, "-I", "-S", str(TETHER), *options]


def family_of(pid: int) -> list[int]:
    """Return a process and its children, who may be in sessions of their own."""
    statuses = {}
    for file in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # It has ended meanwhile.
            statuses[int(file.parent.name)] = file.read_text()
    return [pid, *(each for each, text in statuses.items() if f"PPid:\t{pid}\n" in text)]


def _see_off(pids: Sequence[int]) -> None:
    """Wait for the end of processes that are not ours to wait for, and force it when it is late."""
    deadline = time.monotonic() + GRACE_SECONDS
    while left := [pid for pid in pids if _runs(pid)]:
        if time.monotonic() > deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _runs(pid: int) -> bool:
    """False also of what has ended and whose parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except OSError:
        return False
