"""One container: what is mounted in its tree, as whom it runs, and what it may."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.tests.containers.image import Image

DEVICES = {"null": 3, "zero": 5, "random": 8, "urandom": 9}


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder or file of this machine in a container; without a source an empty tmpfs."""

    target: str
    source: Path | None = None
    read_only: bool = False

    def commands(self, root: str) -> Iterator[list[str]]:
        place = root + self.target
        if self.source is None:
            # As Docker makes one.
            yield ["mount", "-t", "tmpfs", "-o", "mode=1777,noexec,nosuid,nodev", "tmpfs", place]
            return
        yield ["mount", "--bind", str(self.source), place]
        if self.read_only:
            yield ["mount", "-o", "remount,bind,ro", place]


@dataclass(kw_only=True)
class Container:
    """`words` in the tree of `image`, read-only unless told otherwise, as `user` with `rights`."""

    name: str
    image: Image
    words: Sequence[str]
    namespace: str
    log: Path
    user: str
    folder: str
    environment: Mapping[str, str]
    mounts: Sequence[Mount] = ()
    rights: Sequence[str] = ()
    read_only: bool = True
    _shell: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def command(self) -> list[str]:
        """Return what runs it, with the mounts made that it takes."""
        for mount in self.mounts:
            of_file = mount.source is not None and mount.source.is_file()
            self.image.mount_point(mount.target, of_file=of_file)
        tied = ["setpriv", "--pdeathsig=KILL"]
        enter = [*tied, "nsenter", f"--net=/run/netns/{self.namespace}", "unshare", "--mount"]
        return [*enter, "--pid", "--fork", "--kill-child", "sh", "-euc", self._script()]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._shell = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Return the process that is number 1 to all others in it."""
        assert self._shell is not None
        children = Path(f"/proc/{self._shell.pid}/task/{self._shell.pid}/children")
        return int(children.read_text().split()[0])

    def wait(self, *, seconds: float = 60.0) -> int:
        """Return its exit code."""
        assert self._shell is not None
        return self._shell.wait(seconds)

    def alive(self) -> bool:
        return self._shell is not None and self._shell.poll() is None

    def beside(self, *words: str) -> list[str]:
        """Return a command beside it, as `docker compose exec` runs: its entrypoint has no part."""
        enter = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid"]
        return [*enter, *self._inside(words)]

    def execute(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.beside(*words), capture_output=True, text=True, check=False)

    def ask_to_end(self) -> None:
        """Tell it what `docker stop` tells."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self._shell is not None:
            with suppress(ProcessLookupError, IndexError, FileNotFoundError):
                os.kill(self.pid, signal.SIGKILL)
            self._shell.kill()
            self._shell.wait()

    def wait_until_healthy(self, check: Sequence[str], *, seconds: float = 60.0) -> None:
        """Return once its own health check succeeds."""
        deadline = time.monotonic() + seconds
        while True:
            time.sleep(0.1)
            if not self.alive():
                raise AssertionError(f"{self.name} ended:\n{self.log.read_text()}")
            answer = self.execute(*check)
            if answer.returncode == 0:
                return
            if time.monotonic() > deadline:
                said = f"{answer.stderr}\n{self.log.read_text()}"
                raise AssertionError(f"{self.name} is not healthy:\n{said}")

    def _script(self) -> str:
        """Return what makes the tree and becomes the command."""
        commands = [shlex.join(words) for words in self._mounting()]
        return "\n".join([*commands, f"exec {shlex.join(self._inside(self.words))}"])

    def _mounting(self) -> Iterator[list[str]]:
        root = str(self.image.root)
        yield ["mount", "--make-rprivate", "/"]
        yield ["mount", "--bind", root, root]
        for target, source in self.image.shared.items():
            yield from Mount(target=target, source=source, read_only=True).commands(root)
        yield ["mount", "-t", "proc", "proc", f"{root}/proc"]
        yield ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/dev"]
        for name, minor in DEVICES.items():
            yield ["mknod", "-m", "666", f"{root}/dev/{name}", "c", "1", str(minor)]
        yield ["mkdir", "-m", "1777", f"{root}/dev/shm"]  # noqa: S108 - as in every container
        for mount in self.mounts:
            yield from mount.commands(root)
        if self.read_only:
            yield ["mount", "-o", "remount,bind,ro", root]

    def _inside(self, words: Sequence[str]) -> list[str]:
        """Return the command in the tree, with the user and the rights of the container alone."""
        user, group = self.user.split(":")
        rights = ",".join(["-all", *(f"+{each.lower()}" for each in self.rights)])
        return [
            *("chroot", str(self.image.root), "env", "--ignore-environment"),
            *(f"{name}={value}" for name, value in self.environment.items()),
            *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"),
            *("--no-new-privs", "--inh-caps=-all", f"--bounding-set={rights}"),
            *("sh", "-c", 'cd "$0" && exec "$@"', self.folder, *words),
        ]
