"""Somebody who sends over HTTP, one after the other, each until it is acknowledged."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING, Any

import httpx

from e2e.chaos.clients.reader import Reader, name_of
from e2e.chaos.clients.script import Frame, seen, words

if TYPE_CHECKING:
    from collections.abc import Sequence

STORED = {200, 201}


class Poster(Reader):
    """Sends `rate` messages a second to one of the rooms each."""

    async def write(self, rooms: Sequence[int], rate: float) -> None:
        """Returns when writing is over and the last one is settled."""
        while self.script.is_writing:
            body = {"content": words(), "client_id": uuid.uuid4().hex}
            room = random.choice(rooms)
            pause: float | None = 0.0
            while pause is not None:
                await asyncio.sleep(pause)
                pause = await self._attempt(room, body)
            await asyncio.sleep(random.uniform(0.5, 1.5) / rate)

    async def _attempt(self, room: int, body: Frame) -> float | None:
        """Send it once; returns how long to wait before it is sent again."""
        said = {"room": room, "client_id": body["client_id"], "via": "http"}
        self._note("send", "invoke", **said)
        url = f"/api/chat/rooms/{room}/messages/"
        try:
            answer = await self.http.post(url, json=body, headers=self.account.bearer)
        except httpx.HTTPError as error:
            self._note("send", "info", **said, error=name_of(error))
            return random.uniform(0.1, 0.5)
        if answer.status_code in STORED:
            told = answer.json()
            duplicate = told.get("duplicate", False)
            self._note("send", **seen(told), via="http", duplicate=duplicate)
            return None
        return self._refused(answer, said)

    def _refused(self, answer: httpx.Response, said: dict[str, Any]) -> float | None:
        code = _code(answer)
        # What has no code is the gateway's own answer, and it cannot know: while it starts, it says
        # 404 to everything.
        is_unknown = code in {"", "outcome_unknown"}
        error = code or str(answer.status_code)
        self._note("send", "info" if is_unknown else "fail", **said, error=error)
        if is_unknown or code in {"unavailable", "rate_limited"}:
            return random.uniform(0.1, 0.5)
        return None


def _code(answer: httpx.Response) -> str:
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return ""
    return str(answer.json()["code"])
