"""The client's half of WebSocket (RFC 6455), as little of it as a load generator needs."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_SHORT = 126
_MIDDLE = 1 << 16
_TEXT = 0x81
_CLOSE = 0x88


class ClosedError(Exception):
    """The server ended a socket that was still needed."""


def handshake(path: str) -> bytes:
    return _HANDSHAKE.format(path=path).encode()


def connect(port: int, path: str) -> socket.socket:
    """Open a socket and return it, not blocking, when the server has switched protocols."""
    link = socket.create_connection((LOOPBACK, port), timeout=10)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(handshake(path))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head is the first frame.
        byte = link.recv(1)
        if not byte:
            raise ClosedError(answer.decode())
        answer += byte
    if b" 101 " not in answer[:16]:
        raise ClosedError(answer.decode())
    link.setblocking(False)
    return link


def frame(text: bytes) -> bytes:
    """Frame a text message; the mask is all zeros, so that masking changes nothing."""
    if len(text) < _SHORT:
        return bytes((_TEXT, 0x80 | len(text))) + bytes(4) + text
    return bytes((_TEXT, 0x80 | _SHORT)) + len(text).to_bytes(2, "big") + bytes(4) + text


def messages(buffer: bytearray) -> Iterator[bytes]:
    """Yield the complete messages at the start of `buffer`, and take them off it."""
    start, end = 0, len(buffer)
    while end - start >= 2:
        size, body = buffer[start + 1], start + 2
        if size == _SHORT:
            body += 2
            size = int.from_bytes(buffer[start + 2 : body], "big")
        if body + size > end:
            break
        if buffer[start] == _CLOSE:
            raise ClosedError(bytes(buffer[body : body + size]))
        if buffer[start] == _TEXT:
            yield bytes(buffer[body : body + size])
        start = body + size
    del buffer[:start]
