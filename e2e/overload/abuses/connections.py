"""Sockets and handshakes, more than one needs, and such as come to nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from e2e.overload.abuser import ALL_ROOMS, paced

if TYPE_CHECKING:
    from e2e.overload.abuser import Abuser

# Everybody else needs one in some minutes.
HANDSHAKES_PER_SECOND = 2
MOST_SOCKETS = 20


async def sockets(me: Abuser) -> None:
    """One more than one may have, and one more, and one more."""
    async with AsyncExitStack() as held:
        for _ in range(MOST_SOCKETS):
            await held.enter_async_context(me.socket())
        async for _ in paced(HANDSHAKES_PER_SECOND):
            await held.enter_async_context(me.socket())


async def visits(me: Abuser) -> None:
    """Comes in, hears where everything stands, and goes."""
    async for _ in paced(HANDSHAKES_PER_SECOND):
        await me.knock(ALL_ROOMS, me.bearer)


async def strangers(me: Abuser) -> None:
    """Shows nothing at all."""
    async for _ in paced(HANDSHAKES_PER_SECOND):
        await me.knock(ALL_ROOMS)


async def forged_tokens(me: Abuser) -> None:
    async for _ in paced(HANDSHAKES_PER_SECOND):
        await me.knock(ALL_ROOMS, f"{me.bearer[:-20]}{'A' * 20}")


async def unknown_tickets(me: Abuser) -> None:
    async for _ in paced(HANDSHAKES_PER_SECOND):
        await me.knock(f"{ALL_ROOMS}?ticket={'A' * 43}")


async def foreign_pages(me: Abuser) -> None:
    async for _ in paced(HANDSHAKES_PER_SECOND):
        await me.knock(ALL_ROOMS, me.bearer, "Origin: https://elsewhere.example")


async def idle(me: Abuser) -> None:
    """No abuse: as many sockets as one may have, over which nothing is said."""
    async with asyncio.TaskGroup() as together:
        for _ in range(MOST_SOCKETS):
            together.create_task(me.hear(await me.open_socket()))
