"""Somebody who sends over a socket, up to eight at once, each until it is acknowledged."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING

from e2e.chaos.clients.listener import Listener
from e2e.chaos.clients.script import Frame, seen, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.history.operations import Kind

AT_ONCE = 8
NOT_DONE = {"unavailable", "rate_limited"}
EDITED, DELETED = 0.04, 0.02


class Writer(Listener):
    """Sends `rate` messages a second to one of the rooms each."""

    async def write(self, rooms: Sequence[int], rate: float) -> None:
        """Returns when writing is over and all that was begun is settled."""
        unsettled: set[asyncio.Task[None]] = set()
        while self.script.is_writing:
            if len(unsettled) < AT_ONCE:
                sending = asyncio.create_task(self._send(random.choice(rooms)))
                unsettled.add(sending)
                sending.add_done_callback(unsettled.discard)
            await asyncio.sleep(random.uniform(0.5, 1.5) / rate)
        await asyncio.gather(*unsettled)

    async def _send(self, room: int) -> None:
        command = {"type": "message", "room": room, "content": words()}
        message = await self._until_settled(command | {"client_id": uuid.uuid4().hex})
        if message:
            await self._change(message)

    async def _until_settled(self, command: Frame) -> Frame | None:
        """Say the same again and again; None if it is refused for good."""
        while True:
            await self.ready.wait()
            answer = await self._attempt(command)
            if answer is None:
                await asyncio.sleep(random.uniform(0.05, 0.2))
                continue
            if answer["type"] == "ack":
                return dict(answer["message"])
            if answer["code"] not in NOT_DONE | {"outcome_unknown"}:
                return None
            await asyncio.sleep(answer.get("retry_after", 0.5))

    async def _attempt(self, command: Frame) -> Frame | None:
        """Say it once and write down what came of it; None if nobody knows."""
        said = {"room": command["room"], "client_id": command["client_id"], "via": "socket"}
        self._note("send", "invoke", **said)
        try:
            answer = await self.ask(command)
        except ConnectionError as error:
            self._note("send", "info", **said, error=str(error))
            return None
        if answer["type"] == "ack":
            duplicate = answer["duplicate"]
            self._note("send", **seen(answer["message"]), via="socket", duplicate=duplicate)
        else:
            self._note("send", _kind(answer), **said, error=answer["code"])
        return answer

    async def _change(self, message: Frame) -> None:
        """Now and then edit what was sent, or delete it; once, whatever comes of it."""
        chance = random.random()
        if chance > EDITED + DELETED:
            return
        act = "edit" if chance < EDITED else "delete"
        command = {"type": f"message.{act}", "room": message["room"], "id": message["id"]}
        said = {"room": message["room"], "id": message["id"], "via": "socket"}
        self._note(act, "invoke", **said)
        try:
            answer = await self.ask(command | ({"content": words()} if act == "edit" else {}))
        except ConnectionError as error:
            self._note(act, "info", **said, error=str(error))
            return
        if answer["type"] == "ack":
            self._note(act, **seen(answer["message"]), via="socket")
        else:
            self._note(act, _kind(answer), **said, error=answer["code"])


def _kind(refusal: Frame) -> Kind:
    return "info" if refusal["code"] == "outcome_unknown" else "fail"
