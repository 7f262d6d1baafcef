"""What is begun and never finished, and what is sent and never read."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from e2e.overload.abuser import ALL_ROOMS
from e2e.overload.wire import TEXT, Wire, handshake, head, request, said

if TYPE_CHECKING:
    from e2e.overload.abuser import Abuser

HALVES = 10
SLOW_SOCKETS = 4
TAKES_BYTES = 4096
MESSAGES_PER_SECOND = 5
UPLOAD_BYTES = 5_000_000
# With these a frame has 16 KiB, and no content may be longer.
CONTENT = "🙂" * 4_000


async def slow_readers(me: Abuser) -> None:
    """Sends as much as one may, and reads it over several sockets: never."""
    async with AsyncExitStack() as held:
        speaking = await held.enter_async_context(me.socket())
        for _ in range(SLOW_SOCKETS):
            wire = await me.open_socket(takes=TAKES_BYTES)
            held.callback(wire.cut)
        large = said({"type": "message", "room": me.room, "content": CONTENT})
        await me.flood(speaking, large, MESSAGES_PER_SECOND)


async def half_frames(me: Abuser) -> None:
    """A frame that is always about to be finished."""
    async with AsyncExitStack() as held:
        wires = []
        for _ in range(HALVES):
            wires.append(await held.enter_async_context(me.socket(answers_pings=False)))
            await wires[-1].write(head(TEXT, 60_000))
        await _trickle(me, wires)


async def half_handshakes(me: Abuser) -> None:
    await _begin(me, handshake(ALL_ROOMS, me.bearer)[:-2] + b"X-Patience: ")


async def half_bodies(me: Abuser) -> None:
    """Requests that go on for as long as they may."""
    await _begin(me, request("/api/chat/messages/", 60_000, me.bearer))


async def half_uploads(me: Abuser) -> None:
    """A picture that is always about to be there."""
    kind = "multipart/form-data; boundary=b"
    head = request("/api/auth/me/avatar/", UPLOAD_BYTES, me.bearer, kind=kind)
    part = b'Content-Disposition: form-data; name="avatar"; filename="me.png"'
    await _begin(me, head + b"--b\r\n" + part + b"\r\n\r\n")


async def half_sign_ins(me: Abuser) -> None:
    await _begin(me, request("/api/auth/login/", 60_000))


async def _begin(me: Abuser, beginning: bytes) -> None:
    async with AsyncExitStack() as held:
        wires = []
        for _ in range(HALVES):
            wires.append(wire := await Wire.dial(me.port))
            held.callback(wire.cut)
            await wire.write(beginning)
        await _trickle(me, wires)


async def _trickle(me: Abuser, wires: list[Wire]) -> None:
    """A byte a second over each, until the first of them is ended."""
    while True:
        for wire in wires:
            await wire.write(b" ")
            me.met["times"] += 1
        await asyncio.sleep(1)
