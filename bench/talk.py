"""Sockets opened by the benchmark itself: many as fast as they are let in, or one to talk over."""

from __future__ import annotations

import select
import socket
from time import monotonic
from typing import TYPE_CHECKING

from bench.websocket import LOOPBACK, ClosedError, connect, frame, handshake, messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SILENCE_SECONDS = 10.0


class Talk:
    """One socket: what is said is sent at once, what is heard is waited for."""

    def __init__(self, port: int, path: str) -> None:
        self._link = connect(port, path)
        self._link.settimeout(SILENCE_SECONDS)
        self._buffer = bytearray()
        self._heard: Iterator[bytes] = iter(())

    def say(self, text: str) -> None:
        self._link.sendall(frame(text.encode()))

    def hear(self) -> bytes:
        """Return the next text. Raises TimeoutError after ten silent seconds."""
        while True:
            if (text := next(self._heard, None)) is not None:
                return text
            data = self._link.recv(1 << 18)
            if not data:
                raise ClosedError
            self._buffer += data
            self._heard = messages(self._buffer)

    def hear_of(self, kind: str) -> bytes:
        """Return the next text of this type."""
        beginning = f'{{"type":"{kind}"'.encode()
        while not (text := self.hear()).startswith(beginning):
            pass
        return text

    def close(self) -> None:
        self._link.close()


class Storm:
    """Opens sockets, so many at once, each until its first text is here: then it is let in."""

    def __init__(self, port: int, paths: Sequence[str], *, at_once: int = 250) -> None:
        self.links: list[socket.socket] = []
        self.latencies: list[float] = []
        self._port, self._paths, self._at_once = port, iter(paths), at_once
        self._opening: dict[int, tuple[socket.socket, float, bytearray]] = {}
        self._poller = select.epoll()
        begin = monotonic()
        self._run()
        self.seconds = monotonic() - begin

    def close(self) -> None:
        for link in self.links:
            link.close()

    def _run(self) -> None:
        for path in self._paths:
            self._open(path)
            while len(self._opening) >= self._at_once:
                self._wait()
        while self._opening:
            self._wait()

    def _open(self, path: str) -> None:
        link = socket.create_connection((LOOPBACK, self._port), timeout=SILENCE_SECONDS)
        link.sendall(handshake(path))
        self._opening[link.fileno()] = link, monotonic(), bytearray()
        self._poller.register(link.fileno(), select.EPOLLIN)

    def _wait(self) -> None:
        events = self._poller.poll(SILENCE_SECONDS)
        if not events:
            raise TimeoutError
        for descriptor, _ in events:
            link, begin, heard = self._opening[descriptor]
            data = link.recv(1 << 16)
            heard += data
            head, _, rest = heard.partition(b"\r\n\r\n")
            if not data or b" 101 " not in head[:16]:
                raise ClosedError(bytes(heard))
            if next(messages(rest), b"").startswith(b'{"type":"ready"'):
                self.latencies.append(monotonic() - begin)
                self.links.append(link)
                self._poller.unregister(descriptor)
                del self._opening[descriptor]
