"""Too many requests over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from e2e.overload.abuser import paced
from e2e.overload.wire import Wire, request

if TYPE_CHECKING:
    from e2e.overload.abuser import Abuser

POSTS_PER_SECOND = 25
TOO_LARGE_BYTES = 100_000
# Twice the API's own limit: refused before anything of it is kept.
MUCH_TOO_LARGE_BYTES = 150_000
TOO_LARGE_PER_SECOND = 5


async def posts(me: Abuser) -> None:
    """Five times what one may send, over the other door."""
    body = json.dumps({"content": "Buy now!"}).encode()
    await _post(me, f"/api/chat/rooms/{me.room}/messages/", body, POSTS_PER_SECOND)


async def large_bodies(me: Abuser) -> None:
    body = b'"' + b" " * TOO_LARGE_BYTES + b'"'
    await _post(me, "/api/chat/messages/", body, TOO_LARGE_PER_SECOND)


async def _post(me: Abuser, path: str, body: bytes, per_second: float) -> None:
    wire = await Wire.dial(me.port)
    try:
        async for _ in paced(per_second):
            await wire.write(request(path, len(body), me.bearer) + body)
            me.met["times"] += 1
            status, _body = await wire.answer()
            me.met[status] += 1
    finally:
        wire.cut()
