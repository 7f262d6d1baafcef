"""Clients that read nothing, or send a byte a second, and are not to harm anybody else."""

from __future__ import annotations

import base64
import os
import socket
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from e2e.chaos.clients.script import PASSWORD
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.chaos.crowd import Crowd

SLOW_READERS, SLOW_WRITERS = 10, 20
# Four bytes each: as long as a message may be, both in characters and in bytes.
LARGEST = "\N{ELEPHANT}" * 4_000
FLOOD_SECONDS, FLOOD_PAUSE = 10.0, 0.025
SMALLEST_BUFFER = 4096
DRAIN_SECONDS = 10.0


@contextmanager
def read_nothing(crowd: Crowd) -> Iterator[None]:
    """Sockets that never read, in a room of their own into which too much is sent.

    Raises AssertionError if one of them is kept for all of it.
    """
    with httpx.Client(base_url=crowd.stack.address, timeout=10) as http, ExitStack() as opened:
        (_, bearer), (second, other) = _signs_up(http), _signs_up(http)
        body = {"room_type": "direct", "participants": [second]}
        http.get("/api/chat/rooms/", headers=other)
        room = http.post("/api/chat/rooms/", json=body, headers=bearer).json()["id"]
        path = f"/ws/chat/{room}/"
        slow = [
            opened.enter_context(_socket(crowd, path, (bearer, other)[n % 2]))
            for n in range(SLOW_READERS)
        ]
        _flood(http, room, (bearer, other))
        yield
        kept = [each for each in slow if not _ends(each)]
        assert kept == [], f"{len(kept)} of {len(slow)} that read nothing are still connected"


def _flood(http: httpx.Client, room: int, bearers: tuple[dict[str, str], ...]) -> None:
    url, until = f"/api/chat/rooms/{room}/messages/", time.monotonic() + FLOOD_SECONDS
    sent = 0
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            http.post(url, json={"content": LARGEST}, headers=bearers[sent % 2])
        sent += 1
        time.sleep(FLOOD_PAUSE)


def _signs_up(http: httpx.Client) -> tuple[str, dict[str, str]]:
    name = f"slow-{uuid.uuid4().hex[:12]}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    told = http.post("/api/auth/register/", json=body).raise_for_status().json()
    return told["user"]["id"], {"Authorization": f"Bearer {told['access']}"}


def _socket(crowd: Crowd, path: str, headers: dict[str, str]) -> socket.socket:
    """A WebSocket of which not even the answer to the handshake is read."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_BUFFER)
    link.settimeout(DRAIN_SECONDS)
    link.connect((LOOPBACK, crowd.stack.port))
    link.sendall(_request(path, headers))
    return link


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **headers,
    }
    said = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{said}\r\n".encode()


def _ends(link: socket.socket) -> bool:
    """Read all there is; whether the other side has ended it."""
    try:
        while link.recv(1024 * 1024):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


@contextmanager
def send_a_byte_a_second(crowd: Crowd) -> Iterator[None]:
    """Half of them never finish their request, half never finish their first frame."""
    person = crowd.people[0]
    done = threading.Event()
    with ExitStack() as opened:
        links = [
            opened.enter_context(_socket(crowd, "/ws/chat/", person.bearer))
            for _ in range(SLOW_WRITERS // 2)
        ]
        for _ in range(SLOW_WRITERS // 2):
            links.append(
                opened.enter_context(socket.create_connection((LOOPBACK, crowd.stack.port)))
            )
            links[-1].sendall(b"POST /api/auth/login/ HTTP/1.1\r\nHost: localhost\r\nX: ")
        for link in links[: SLOW_WRITERS // 2]:
            # The beginning of a masked text frame of 64 KiB.
            link.sendall(b"\x81\xfe\xff\xff\x00\x00\x00\x00")
        trickling = threading.Thread(target=_trickle, args=[links, done])
        trickling.start()
        yield
        done.set()
        trickling.join()


def _trickle(links: list[socket.socket], done: threading.Event) -> None:
    while not done.wait(1):
        for link in links:
            with suppress(OSError):
                link.sendall(b"a")
