"""A connection to the gateway, bare enough to do everything wrong with it."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from local.ports import LOOPBACK

CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA
LAST = 0x80

_MASKED, _SHORT, _MIDDLE = 0x80, 126, 127
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
_REQUEST = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    "Content-Length: {size}\r\n{more}\r\n"
)


class TurnedAwayError(Exception):
    """The status a handshake was answered with instead."""


def head(opcode: int, size: int) -> bytes:
    """The beginning of a client's frame; the mask is all zeros, so that it changes nothing."""
    if size < _SHORT:
        return bytes((opcode, _MASKED | size, 0, 0, 0, 0))
    if size < 1 << 16:
        return bytes((opcode, _MASKED | _SHORT)) + size.to_bytes(2, "big") + bytes(4)
    return bytes((opcode, _MASKED | _MIDDLE)) + size.to_bytes(8, "big") + bytes(4)


def frame(opcode: int, payload: bytes = b"") -> bytes:
    return head(opcode | LAST, len(payload)) + payload


def said(command: dict[str, Any]) -> bytes:
    """A command as a text frame."""
    return frame(TEXT, json.dumps(command, ensure_ascii=False).encode())


def handshake(path: str, *headers: str) -> bytes:
    return _HANDSHAKE.format(path=path, more="".join(f"{each}\r\n" for each in headers)).encode()


def request(path: str, size: int, *headers: str, kind: str = "application/json") -> bytes:
    """The head of a POST whose body has this size."""
    more = "".join(f"{each}\r\n" for each in headers)
    return _REQUEST.format(path=path, size=size, kind=kind, more=more).encode()


class Wire:
    """One connection; what it raises when that ends is an OSError or an EOFError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def dial(cls, port: int, *, takes: int | None = None) -> Wire:
        """Connect; whoever does not read then `takes` about so many bytes all the same."""
        link = socket.socket()
        link.setblocking(False)
        if takes:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        await asyncio.get_running_loop().sock_connect(link, (LOOPBACK, port))
        return cls(*await asyncio.open_connection(sock=link, limit=takes or 1 << 17))

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def head(self) -> bytes:
        """The head of an answer."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def upgrade(self, path: str, *headers: str) -> None:
        """Raises TurnedAwayError."""
        await self.write(handshake(path, *headers))
        status = (await self.head()).split(b" ", 2)[1].decode()
        if status != "101":
            raise TurnedAwayError(status)

    async def hear(self) -> tuple[int, bytes]:
        """The next frame: its opcode and what it holds."""
        first, size = await self._reader.readexactly(2)
        if size == _SHORT:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        elif size == _MIDDLE:
            size = int.from_bytes(await self._reader.readexactly(8), "big")
        return first & 0x0F, await self._reader.readexactly(size)

    async def answer(self) -> tuple[str, bytes]:
        """The next answer to a request: its status and its body."""
        top = (await self.head()).decode().lower()
        size = int(top.partition("content-length:")[2].split("\r\n", 1)[0])
        return top.split(" ", 2)[1], await self._reader.readexactly(size)

    def cut(self) -> None:
        self._writer.transport.abort()
