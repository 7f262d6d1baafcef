"""Somebody who reads over HTTP what he may, from where he was."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from e2e.chaos.clients.script import ANSWER_SECONDS, Frame, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.chaos.clients.script import Account, Script
    from e2e.history.operations import Kind

PAUSE_SECONDS = 0.3


class Reader:
    """An account and an HTTP client; what it is shown is written down."""

    def __init__(self, script: Script, who: str, account: Account) -> None:
        self.script, self.who, self.account = script, who, account
        self.http = httpx.AsyncClient(base_url=script.address, timeout=ANSWER_SECONDS)
        self.link = 0

    async def poll(self, rooms: Sequence[int]) -> None:
        """Look again and again for what is new in each room, until cancelled."""
        after = dict.fromkeys(rooms, 0)
        while True:
            for room in rooms:
                with suppress(httpx.HTTPError):
                    after[room] = await self.read_history(room, after[room])
                await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS)

    async def read_history(self, room: int, after: int = 0) -> int:
        """Read a room from a seq on, page by page, and return the last seq there was."""
        while True:
            page = await self._page(room, after)
            for message in page["results"]:
                self._note("hear", event="message", via="history", **seen(message))
                after = message["seq"]
            self._note("read", room=room, pos=page["pos"])
            if not page["next"]:
                return after

    async def _page(self, room: int, after: int) -> Frame:
        """Raises httpx.HTTPError; what became of the question is written down."""
        self._note("read", "invoke", room=room)
        url = f"/api/chat/rooms/{room}/messages/"
        asked = {"after": after, "limit": 100}
        try:
            answer = await self.http.get(url, params=asked, headers=self.account.bearer)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self._note("read", "fail", room=room, error=name_of(error))
            raise
        return dict(answer.json())

    def _note(self, act: str, kind: Kind = "ok", **fields: Any) -> None:
        said = {"user": self.account.user_id, "link": self.link}
        self.script.note(self.who, act, kind, **(said | fields))


def name_of(error: Exception) -> str:
    """What to count an error as."""
    if isinstance(error, httpx.HTTPStatusError):
        return str(error.response.status_code)
    return type(error).__name__
