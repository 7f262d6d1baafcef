"""A network of its own at the end of a cable, which can be cut, or lose what goes over it.

What a proxy cannot do: nobody's kernel answers, and no connection ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, Self

from e2e.chaos.faults.fault import ImpossibleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

CLONE_NEWNET = 0x40000000
NAMESPACES = "/run/netns"
libc = ctypes.CDLL(None, use_errno=True)


class Wire:
    """Between us, at the address `here`, and sockets `made` at its other end. For root alone."""

    def __init__(self) -> None:
        number = os.getpid()
        network = f"10.{200 + number % 50}.{number // 50 % 250}"
        self.here, self._there = f"{network}.1", f"{network}.2"
        self._name = f"parley-{number}"
        self._near, self._far = f"near{number}", f"far{number}"

    def __enter__(self) -> Self:
        """Raises ImpossibleError."""
        if not shutil.which("ip") or os.geteuid() != 0:
            raise ImpossibleError("There is no iproute2 here, or we are not root.")
        try:
            self._lay()
        except subprocess.CalledProcessError as error:
            self._remove()
            raise ImpossibleError("This machine gives us no network of our own.") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._remove()

    def cut(self) -> None:
        """From here on nothing comes through, in either direction."""
        self._inside("link", "set", self._far, "down")

    def mend(self) -> None:
        self._inside("link", "set", self._far, "up")

    def lose(self, share: float) -> None:
        """Drop so much of all packets, in each direction; 0 is none."""
        if not (tables := shutil.which("iptables")):
            raise ImpossibleError("There is no iptables here.")
        within = ["ip", "netns", "exec", self._name, tables]
        for chain in ("INPUT", "OUTPUT"):
            subprocess.run([*within, "-F", chain], check=True)
            if share:
                chance = ["-m", "statistic", "--mode", "random", "--probability", str(share)]
                subprocess.run([*within, "-A", chain, *chance, "-j", "DROP"], check=True)

    def made(self) -> socket:
        """A TCP socket at the other end."""
        with self._entered():
            return socket()

    async def dial(self, port: int) -> socket:
        """Connect from the other end to a port here."""
        link = self.made()
        link.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(link, (self.here, port))
        except BaseException:
            link.close()
            raise
        return link

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """This thread is in the other network meanwhile."""
        files = [
            os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            for path in ("/proc/thread-self/ns/net", f"{NAMESPACES}/{self._name}")
        ]
        try:
            _enter(files[1])
            yield
        finally:
            _enter(files[0])
            for file in files:
                os.close(file)

    def _lay(self) -> None:
        ip("netns", "add", self._name)
        ip("link", "add", self._near, "type", "veth", "peer", self._far, "netns", self._name)
        ip("addr", "add", f"{self.here}/30", "dev", self._near)
        ip("link", "set", self._near, "up")
        self._inside("addr", "add", f"{self._there}/30", "dev", self._far)
        self._inside("link", "set", self._far, "up")

    def _inside(self, *words: str) -> None:
        ip("-n", self._name, *words)

    def _remove(self) -> None:
        """The cable ends with the network."""
        subprocess.run(["ip", "netns", "delete", self._name], check=False)


def ip(*words: str) -> None:
    """Raises subprocess.CalledProcessError."""
    subprocess.run(["ip", *words], check=True)


def _enter(file: int) -> None:
    if libc.setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
