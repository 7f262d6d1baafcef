"""The load client: a process of its own that sends, and counts what comes back.

Every socket sends into its room, and is told everything that is sent there, its own messages too.
Reads a Load from stdin and writes a Result to stdout, both as JSON.
"""

from __future__ import annotations

import json
import re
import select
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from bench.websocket import ClosedError, connect, frame, messages

if TYPE_CHECKING:
    from socket import socket

LONGEST_DRAIN_SECONDS = 15.0
BODY = (
    "The quick brown fox jumps over the lazy dog while 100 bytes of text pass through the socket."
    " Done!!!"
)
REF = re.compile(rb'"ref": ?"(\d+)"')


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to do: `rate` messages per second in all, or 0 for one in flight on each socket."""

    port: int
    paths: list[str]
    prefix: str
    seconds: float
    warm_up: float
    rate: float


@dataclass(kw_only=True)
class Result:
    """What came back. Latencies are in seconds, from when a message was due to its ack.

    `sent` are the numbers n of the client_ids `{prefix}-{n}`, by socket; `delivered` counts events.
    """

    throughput: float
    latencies: list[float]
    acked: list[int]
    sent: list[int]
    delivered: list[int]
    refused: list[str] = field(default_factory=list)


class Client:
    """All sockets of a load, driven by one epoll loop."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.links = [connect(load.port, path) for path in load.paths]
        self.buffers = [bytearray() for _ in self.links]
        self.poller = select.epoll()
        self.index = {link.fileno(): n for n, link in enumerate(self.links)}
        for link in self.links:
            self.poller.register(link.fileno(), select.EPOLLIN)
        self.due: list[float] = []
        self.acked_at: dict[int, float] = {}
        self.sent = [0] * len(self.links)
        self.delivered = [0] * len(self.links)
        self.ready = 0
        self.refused: list[str] = []
        self.free: deque[int] = deque()

    def send(self, link: int, due: float) -> None:
        """Send the next message over a socket; `due` is when it should have left."""
        n = len(self.due)
        self.due.append(due)
        self.sent[link] += 1
        text = (
            f'{{"type":"message","ref":"{n}","client_id":"{self.load.prefix}-{n}",'
            f'"content":"{BODY}"}}'
        )
        self.links[link].sendall(frame(text.encode()))

    def receive(self, timeout: float) -> None:
        """Wait for frames, at most so long (to the microsecond, which epoll itself cannot)."""
        select.select([self.poller], [], [], max(0.0, timeout))
        for descriptor, _ in self.poller.poll(0):
            n = self.index[descriptor]
            self.buffers[n] += _read(self.links[n])
            for message in messages(self.buffers[n]):
                self._take(n, message)

    def _take(self, link: int, message: bytes) -> None:
        kind = message.split(b'"', 4)[3]  # {"type":"message",…
        if kind == b"message":
            self.delivered[link] += 1
        elif kind == b"ack" and (ref := REF.search(message)):
            self.acked_at[int(ref[1])] = monotonic()
            self.free.append(link)
        elif kind == b"ready":
            self.ready += 1
        elif kind == b"error":
            self.refused.append(message.decode())


def _read(link: socket) -> bytes:
    data = link.recv(1 << 18)
    if not data:
        raise ClosedError
    return data


def closed_loop(client: Client, *, until: float) -> None:
    """Keep one message in flight on each socket."""
    client.free.extend(range(len(client.links)))
    while monotonic() < until:
        while client.free:
            client.send(client.free.popleft(), monotonic())
        client.receive(0.1)


def open_loop(client: Client, *, until: float) -> None:
    """Send at a fixed rate, the sockets taking turns, whatever comes back."""
    start, n = monotonic(), 0
    while (now := monotonic()) < until:
        due = start + n / client.load.rate
        if due <= now:
            client.send(n % len(client.links), due)
            n += 1
        client.receive(start + n / client.load.rate - monotonic())


def run(load: Load) -> Result:
    """Connect, wait until every socket is ready, send, and wait for what is outstanding."""
    client = Client(load)
    while client.ready < len(client.links):
        client.receive(0.1)
    begin = monotonic() + load.warm_up
    end = begin + load.seconds
    (open_loop if load.rate else closed_loop)(client, until=end)
    _drain(client)
    counted = [n for n, due in enumerate(client.due) if due >= begin]
    return Result(
        throughput=sum(begin <= at < end for at in client.acked_at.values()) / load.seconds,
        latencies=[client.acked_at[n] - client.due[n] for n in counted if n in client.acked_at],
        acked=sorted(client.acked_at),
        sent=client.sent,
        delivered=client.delivered,
        refused=client.refused[:5],
    )


def _drain(client: Client) -> None:
    """Wait for the acks and events that are still to come, until nothing comes any more."""
    deadline = monotonic() + LONGEST_DRAIN_SECONDS
    quiet_since = monotonic()
    before, complete = (0, 0), (len(client.due), _expected(client))
    while monotonic() < deadline and monotonic() - quiet_since < 1.0:
        client.receive(0.05)
        now = (len(client.acked_at), sum(client.delivered))
        if now != before:
            before, quiet_since = now, monotonic()
        if now == complete:
            return


def _expected(client: Client) -> int:
    """Count the events to come: every socket hears what is sent into the room of its path."""
    rooms: dict[str, list[int]] = {}
    for path, sent in zip(client.load.paths, client.sent, strict=True):
        rooms.setdefault(path.partition("?")[0], []).append(sent)
    return sum(sum(sent) * len(sent) for sent in rooms.values())


def main() -> None:
    """Run the Load on stdin."""
    result = run(Load(**json.load(sys.stdin)))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
