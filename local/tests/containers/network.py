"""A network for containers: one address each, and names as Docker's DNS gives them."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
GATEWAY = "10.213.0.1"
DNS_PORT = 53
_A_RECORD = b"\0\1"


def is_possible() -> bool:
    """Try the least of it: root in a container of its own may be refused too."""
    trial = ["unshare", "--net", "--mount", "ip", "link", "add", "type", "bridge"]
    tools = ("curl", "ip", "nsenter", "unshare", "setpriv", "chroot")
    return (
        sys.platform == "linux"
        and all(map(shutil.which, tools))
        and subprocess.run(trial, check=False, capture_output=True).returncode == 0
    )


class Network:
    """A bridge in a namespace of its own: nothing of it is seen on this machine's interfaces.

    Names are answered by who asks: a container knows those that share a network with it.
    """

    def __init__(self) -> None:
        self.prefix = f"parley-{os.getpid()}"
        self._forget()
        self._names: dict[str, list[tuple[str, str]]] = {}
        self._networks: dict[str, Collection[str]] = {}
        self._hosts = 0
        self.hub = self._namespace("hub")
        _ip(self.hub, "link add br0 type bridge")
        _ip(self.hub, f"addr add {GATEWAY}/24 dev br0")
        _ip(self.hub, "link set br0 up")
        self._dns = inside(self.hub, _dns_socket)
        threading.Thread(target=self._answer, daemon=True).start()

    def join(self, host: str, *, names: Collection[str], networks: Collection[str]) -> str:
        """Give a container its namespace, and an address under these names; return the former."""
        namespace = self._namespace(host)
        self._hosts += 1
        if networks:
            address = f"10.213.0.{self._hosts + 1}"
            self._connect(namespace, address)
            self._networks[address] = networks
            for name in names:
                self._names.setdefault(name, []).extend((address, each) for each in networks)
        return namespace

    def close(self) -> None:
        # What waits in another thread is not woken by closing alone.
        with suppress(OSError):
            self._dns.shutdown(socket.SHUT_RDWR)
        self._dns.close()
        self._forget()

    def _forget(self) -> None:
        """Remove our namespaces, or those of a process that had our number and was killed."""
        found = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
        for line in found.splitlines():
            if line.startswith(f"{self.prefix}-"):
                subprocess.run(["ip", "netns", "del", line.split()[0]], check=True)

    def _namespace(self, name: str) -> str:
        namespace = f"{self.prefix}-{name}"
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        _ip(namespace, "link set lo up")
        return namespace

    def _connect(self, namespace: str, address: str) -> None:
        port = f"port{self._hosts}"
        _ip(self.hub, f"link add {port} type veth peer name eth0 netns {namespace}")
        _ip(self.hub, f"link set {port} master br0 up")
        _ip(namespace, f"addr add {address}/24 dev eth0")
        _ip(namespace, "link set eth0 up")

    def _answer(self) -> None:
        with suppress(OSError):
            while (asked := self._dns.recvfrom(512))[0]:
                query, (asker, port) = asked
                self._dns.sendto(_reply(query, self._find(_name(query), asker)), (asker, port))

    def _find(self, name: str, asker: str) -> list[str] | None:
        """Return the addresses in an order that changes, as Docker's DNS does."""
        known = self._names.get(name)
        if known is None:
            return None
        shared = {address for address, network in known if network in self._networks[asker]}
        return random.sample(sorted(shared), len(shared)) or None


def inside(namespace: str, call: Callable[[], T]) -> T:
    """Call it with its sockets in this namespace: the kernel keeps one for every thread."""
    result: Future[T] = Future()

    def enter() -> None:
        try:
            _enter(namespace)
            result.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            result.set_exception(error)

    threading.Thread(target=enter).start()
    return result.result()


def _enter(namespace: str) -> None:
    with Path("/run/netns", namespace).open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


def _dns_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((GATEWAY, DNS_PORT))
    return made


def _name(query: bytes) -> str:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower()


def _reply(query: bytes, addresses: list[str] | None) -> bytes:
    """Return addresses, or that there is no such name (RFC 1035)."""
    question = query[12 : query.index(b"\0", 12) + 5]
    found = [] if question[-4:-2] != _A_RECORD else addresses or []
    code = b"\x81\x83" if addresses is None else b"\x81\x80"
    header = query[:2] + code + b"\0\1" + len(found).to_bytes(2, "big") + bytes(4)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4"
    return header + question + b"".join(record + socket.inet_aton(each) for each in found)


def _ip(namespace: str, words: str) -> None:
    subprocess.run(["ip", "-n", namespace, *words.split()], check=True)
