"""Ports: the two people choose, and free ones for what stays inside."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from local.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65_535

# Below the range from which the kernel takes ports for outgoing connections, so that none of ours
# is taken between choosing and listening.
_INSIDE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return `count` different loopback ports nobody listens on."""
    with ExitStack() as held:
        return [_hold_one(held) for _ in range(count)]


def port_setting(environment: Mapping[str, str], *, name: str, default: int) -> int:
    """Read a port from the environment. Raises CannotStartError if it is not a port."""
    text = environment.get(name) or str(default)
    if text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT:
        return int(text)
    raise CannotStartError(f"{name}={text} is not a port. Choose one: make run {name}=9000")


def require_free(port: int, *, name: str) -> None:
    """Raise CannotStartError, saying how to choose another, if somebody listens on `port`."""
    with socket.socket() as probe:
        try:
            _listen(probe, port)
        except PermissionError:
            reason = "may only be opened by root"
        except OSError:
            reason = "is taken by another program"
        else:
            return
    other = port + 1000 if port + 1000 <= HIGHEST_PORT else 9000
    raise CannotStartError(f"Port {port} {reason}. Choose another: make run {name}={other}")


def _hold_one(held: ExitStack) -> int:
    """Keep the port bound while the others are chosen, or two could be the same."""
    while True:
        port = random.choice(_INSIDE)  # noqa: S311 - chosen to be free, not to be secret
        probe = held.enter_context(socket.socket())
        try:
            _listen(probe, port)
        except OSError:
            continue
        return port


def _listen(probe: socket.socket, port: int) -> None:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((LOOPBACK, port))
    probe.listen()
