"""Too many commands over a socket, and commands that are no good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.overload.wire import LAST, TEXT, frame, head, said

if TYPE_CHECKING:
    from e2e.overload.abuser import Abuser

MESSAGES_PER_SECOND = 25
COMMANDS_PER_SECOND = 100
LONGEST_MESSAGE = 4_000
LARGEST_FRAME = 1 << 16
DEPTH = 30_000


async def messages(me: Abuser) -> None:
    """Five times what one may send."""
    await _flood(me, _message(me, "Buy now!"), MESSAGES_PER_SECOND)


async def long_messages(me: Abuser) -> None:
    """One code point too many, and at 16 KiB as many bytes as there can be."""
    await _flood(me, _message(me, "🙂" * (LONGEST_MESSAGE + 1)), MESSAGES_PER_SECOND)


async def typing(me: Abuser) -> None:
    """Five times what a socket may ask, of what everybody in the room is told."""
    told = said({"type": "typing", "room": me.room, "is_typing": True})
    await _flood(me, told, COMMANDS_PER_SECOND)


async def reads(me: Abuser) -> None:
    """The same, of what everybody looks up in the database."""
    await _flood(me, said({"type": "read", "room": me.room, "seq": 1}), COMMANDS_PER_SECOND)


async def deep_json(me: Abuser) -> None:
    """A frame full of brackets, as large as frames may be."""
    text = b'{"type":"ping","ref":' + b"[" * DEPTH + b"]" * DEPTH + b"}"
    await _flood(me, frame(TEXT, text), COMMANDS_PER_SECOND)


async def large_frames(me: Abuser) -> None:
    """One byte too many; the socket ends with it."""
    async with me.socket() as wire:
        me.met["times"] += 1
        size = LARGEST_FRAME + 1
        await wire.write(head(TEXT | LAST, size) + b" " * size)
        await me.flood(wire, frame(TEXT, b"{}"), 1)


def _message(me: Abuser, content: str) -> bytes:
    return said({"type": "message", "room": me.room, "content": content})


async def _flood(me: Abuser, what: bytes, per_second: float) -> None:
    async with me.socket() as wire:
        await me.flood(wire, what, per_second)
