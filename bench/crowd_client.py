"""The load client of a full room: one socket sends, all of them hear it, each frame is counted.

Reads a Load from stdin and writes a Result to stdout, both as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from bench.dialects import DIALECTS, number_in
from bench.measurements import percentile
from bench.usage import cpu_seconds
from bench.websocket import ClosedError, connect, frame, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTLE_SECONDS = 0.5
LOST_AFTER_SECONDS = 2.0
MOST_REMEMBERED = 1_000
READ_BYTES = 1 << 18
LITTLE_BYTES = 4_096


@dataclass(frozen=True, kw_only=True)
class Load:
    """`rate` messages of `size` bytes per second, or 0 for `in_flight` at a time.

    `pid` is the server's. The last `deaf` sockets read nothing any more once all are ready.
    """

    port: int
    pid: int
    dialect: str
    paths: list[str]
    prefix: str
    seconds: float
    warm_up: float
    rate: float
    in_flight: int = 4
    size: int = 100
    deaf: int = 0


@dataclass(kw_only=True)
class Result:
    """Latencies are in seconds, from when a message was due to when one socket had it.

    Without the time in which it was stored where bench.storing_client did that.

    `told` deliveries came in the measured `seconds`; `sent` and `delivered` count the whole load.
    """

    told: int
    seconds: float
    cpu_seconds: float
    p50: float
    p99: float
    sent: int
    delivered: int
    refused: list[str] = field(default_factory=list)


class Crowd:
    """All sockets, driven by one epoll loop."""

    def __init__(self, load: Load) -> None:
        self.load, self.dialect = load, DIALECTS[load.dialect]
        self.links = {(link := connect(load.port, path)).fileno(): link for path in load.paths}
        self.sender = next(iter(self.links.values()))
        self.ears = len(self.links) - load.deaf
        self.rests = {descriptor: bytearray() for descriptor in self.links}
        self.poller = select.epoll()
        for descriptor in self.links:
            self.poller.register(descriptor, select.EPOLLIN)
        self.ready = self.delivered = 0
        self.heard_at = monotonic()
        self.due: list[float] = []
        self.missing: list[int] = []
        self.in_flight = 0
        self.latencies: list[float] = []
        self.refused: list[str] = []
        self.known: dict[bytes, tuple[int, ...]] = {}

    def send(self, due: float) -> None:
        """Send the next message; `due` is when it should have left."""
        number = len(self.due)
        self.due.append(due)
        self.missing.append(self.ears)
        self.in_flight += 1
        self.say(number, self.dialect.text(number, self.load.prefix, self.load.size))

    def say(self, number: int, text: bytes) -> None:  # noqa: ARG002 - who is told later needs it
        """Give the message to the server."""
        self.sender.sendall(frame(text))

    def receive(self, timeout: float) -> None:
        """Wait for frames, at most so long (to the microsecond, which epoll itself cannot)."""
        select.select([self.poller], [], [], max(0.0, timeout))
        for descriptor, _ in self.poller.poll(0):
            data = self.links[descriptor].recv(READ_BYTES)
            if not data:
                raise ClosedError
            rest = self.rests[descriptor]
            # What was read from another socket byte for byte need not be taken apart again.
            if rest or (numbers := self.known.get(data)) is None:
                rest += data
                numbers = tuple(self._take(descriptor, messages(rest)))
                if not rest and numbers:
                    self._remember(data, numbers)
            self._count(numbers)

    def deafen(self) -> None:
        """Take nothing more from those that are to be deaf, nor have the kernel take much."""
        for descriptor, link in list(self.links.items())[self.ears :]:
            self.poller.unregister(descriptor)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_BYTES)

    def _remember(self, data: bytes, numbers: tuple[int, ...]) -> None:
        if len(self.known) >= MOST_REMEMBERED:
            self.known.clear()
        self.known[data] = numbers

    def _take(self, descriptor: int, texts: Iterable[bytes]) -> Iterable[int]:
        """Yield the numbers of delivered messages, and do what other texts want."""
        for text in texts:
            if text.startswith(self.dialect.delivered):
                yield number_in(text)
            elif text.startswith(self.dialect.ready):
                self.ready += 1
            elif text.startswith(self.dialect.refused):
                self.refused.append(text.decode())
            elif answer := self.dialect.answer(text):
                self.links[descriptor].sendall(frame(answer))

    def _count(self, numbers: tuple[int, ...]) -> None:
        self.heard_at = now = monotonic()
        for number in numbers:
            self.latencies.append(now - self.due[number])
            self.missing[number] -= 1
            if not self.missing[number]:
                self.in_flight = max(0, self.in_flight - 1)
        self.delivered += len(numbers)


def closed_loop(crowd: Crowd, *, until: float) -> None:
    """Keep so many messages on their way; one that never comes whole is given up."""
    while (now := monotonic()) < until:
        if now - crowd.heard_at > LOST_AFTER_SECONDS:
            crowd.heard_at, crowd.in_flight = now, 0
        while crowd.in_flight < crowd.load.in_flight:
            crowd.send(monotonic())
        crowd.receive(0.1)


def open_loop(crowd: Crowd, *, until: float) -> None:
    """Send at a fixed rate, whatever comes back."""
    start, n = monotonic(), 0
    while (now := monotonic()) < until:
        due = start + n / crowd.load.rate
        if due <= now:
            crowd.send(due)
            n += 1
        crowd.receive(start + n / crowd.load.rate - monotonic())


def run(crowd: Crowd) -> Result:
    """Wait until every socket is ready, send, and wait for what is outstanding."""
    load = crowd.load
    while crowd.ready < len(crowd.links):
        crowd.receive(0.1)
    _listen(crowd, SETTLE_SECONDS)
    crowd.deafen()
    loop = open_loop if load.rate else closed_loop
    loop(crowd, until=monotonic() + load.warm_up)
    before, used, begin = crowd.delivered, cpu_seconds(load.pid), monotonic()
    crowd.latencies.clear()
    loop(crowd, until=begin + load.seconds)
    told, used, seconds = (
        crowd.delivered - before,
        cpu_seconds(load.pid) - used,
        monotonic() - begin,
    )
    while crowd.delivered < len(crowd.due) * crowd.ears and (
        monotonic() - crowd.heard_at < LOST_AFTER_SECONDS
    ):
        crowd.receive(0.05)
    if not crowd.latencies:
        sys.exit(f"Nothing was told: {crowd.refused[:5]}")
    return Result(
        told=told,
        seconds=seconds,
        cpu_seconds=used,
        p50=percentile(crowd.latencies, 0.5),
        p99=percentile(crowd.latencies, 0.99),
        sent=len(crowd.due),
        delivered=crowd.delivered,
        refused=crowd.refused[:5],
    )


def _listen(crowd: Crowd, seconds: float) -> None:
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:
        crowd.receive(left)


def main() -> None:
    """Run the Load on stdin."""
    result = run(Crowd(Load(**json.load(sys.stdin))))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
