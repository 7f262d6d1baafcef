"""What WebSocket itself allows without end, below anything that is a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.overload.wire import CONTINUATION, PING, TEXT, frame, head

if TYPE_CHECKING:
    from e2e.overload.abuser import Abuser

FRAMES_PER_SECOND = 1_000
LARGEST_PING = b"?" * 125


async def pings(me: Abuser) -> None:
    async with me.socket() as wire:
        await me.flood(wire, frame(PING, LARGEST_PING), FRAMES_PER_SECOND)


async def unread_pings(me: Abuser) -> None:
    """Asks for answers and takes none."""
    wire = await me.open_socket(takes=4096)
    try:
        await me.flood(wire, frame(PING, LARGEST_PING), FRAMES_PER_SECOND)
    finally:
        wire.cut()


async def fragments(me: Abuser) -> None:
    """A message in pieces of nothing, which never comes to its end."""
    async with me.socket() as wire:
        await wire.write(head(TEXT, 0))
        await me.flood(wire, head(CONTINUATION, 0), FRAMES_PER_SECOND)
