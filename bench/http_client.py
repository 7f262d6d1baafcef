"""The HTTP load client: a process of its own that asks the same over and over.

Every connection stays open and has one request under way. Reads a Load from stdin and writes a
Result to stdout, both as JSON.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
from dataclasses import asdict, dataclass, field
from time import monotonic

from bench.websocket import LOOPBACK, ClosedError

SUCCESS = re.compile(rb"HTTP/1\.1 2\d\d ")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to ask for; the first `warm_up` seconds do not count."""

    port: int
    path: str
    token: str
    connections: int
    seconds: float
    warm_up: float

    def request(self) -> bytes:
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n"
        ).encode()


@dataclass(kw_only=True)
class Result:
    """What came back: `latencies` in seconds, and the body of the last answer."""

    latencies: list[float] = field(default_factory=list)
    body: str = ""


@dataclass
class Connection:
    """One kept connection, with at most one request under way."""

    link: socket.socket
    asked_at: float = 0.0
    buffer: bytes = b""

    def ask(self, request: bytes) -> None:
        self.buffer, self.asked_at = b"", monotonic()
        self.link.sendall(request)

    def answer(self) -> bytes | None:
        """Take what has come: the body once it is whole. Raises ClosedError unless it is a 2xx."""
        data = self.link.recv(1 << 18)
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if found else None
        if not data or (found and (length is None or not SUCCESS.match(head))):
            raise ClosedError(self.buffer.decode())
        return body if length and len(body) >= int(length[1]) else None


def connect(port: int) -> socket.socket:
    """Open a connection that sends each request at once."""
    link = socket.create_connection((LOOPBACK, port), timeout=20)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def run(load: Load) -> Result:
    """Keep one request under way on each connection until the time is over."""
    result, request = Result(), load.request()
    connections = {}
    poller = select.epoll()
    for _ in range(load.connections):
        link = connect(load.port)
        connections[link.fileno()] = Connection(link)
        poller.register(link.fileno(), select.EPOLLIN)
        connections[link.fileno()].ask(request)
    begin = monotonic() + load.warm_up
    while (now := monotonic()) < begin + load.seconds:
        for descriptor, _ in poller.poll(0.1):
            connection = connections[descriptor]
            if (body := connection.answer()) is not None:
                if now >= begin:
                    result.latencies.append(monotonic() - connection.asked_at)
                result.body = body.decode()
                connection.ask(request)
    return result


def main() -> None:
    """Run the Load on stdin."""
    json.dump(asdict(run(Load(**json.load(sys.stdin)))), sys.stdout)


if __name__ == "__main__":
    main()
