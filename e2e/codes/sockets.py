"""Sockets that are refused, through the gateway, and how they end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import jwt
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e.metrics import Counted
from e2e.people import Ear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Person
    from local.stack import Stack

# A process that was just started gets sockets again when the gateway has looked at it.
FOUND_SECONDS: Final = 20.0


@contextmanager
def opened(person: Person, path: str, *, bearer: bool = True, **options: Any) -> Iterator[Ear]:
    base = person.address.replace("http", "ws", 1)
    header = {"Authorization": f"Bearer {person.access}"} if bearer else {}
    headers = header | options.pop("headers", {})
    with connect(base + path, additional_headers=headers, **options) as socket:
        yield Ear(socket)


def ending(ear: Ear) -> tuple[int, str]:
    """How the server closes, past everything it says before; 1006 is a cut."""
    try:
        while True:
            ear.socket.recv(15)
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


def counted(stack: Stack, number: int) -> Counted:
    """What a socket process counts, as operators read it."""
    return Counted(f"http://localhost:{stack.operators_port}/metrics/sockets-{number}")


@contextmanager
def listening_on(stack: Stack, number: int, person: Person, room: int) -> Iterator[Ear]:
    """A socket through the gateway that this of the processes has got."""
    deadline = time.monotonic() + FOUND_SECONDS
    while time.monotonic() < deadline:
        process = counted(stack, number)
        with person.listens(room) as ear:
            ear.says(type="ping")
            ear.hears_first("pong")
            if process("parley_sockets_open", "room") > 0:
                yield ear
                return
    raise TimeoutError(number)


def expired(stack: Stack, person: Person) -> str:
    """The person's token, as it will be when it is over."""
    header = jwt.get_unverified_header(person.access)
    claims = jwt.decode(person.access, options={"verify_signature": False})
    key = (stack.home / "jwt-private-key.pem").read_bytes()
    times = {name: claims[name] - 3600 for name in ("iat", "nbf", "exp")}
    return jwt.encode(claims | times, key, algorithm=header["alg"], headers=header)
