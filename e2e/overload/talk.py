"""A process of people who talk to each other in pairs, as everybody does, and take the time of it.

Reads one line, who they are, and writes another, a Talk: both JSON. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

MESSAGES_PER_SECOND, READS_PER_SECOND = 4.0, 4.0
LAST_SECONDS = 5.0


@dataclass
class Talk:
    """When each message was sent, acknowledged and heard by the other, and what went wrong.

    Besides: when history was asked for, and when it was there.
    """

    sent: dict[str, float] = field(default_factory=dict)
    acked: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Person:
    """One socket in one room."""

    def __init__(self, talk: Talk, socket: ClientConnection, number: int) -> None:
        self.talk, self.socket, self.number = talk, socket, number

    async def speak(self) -> None:
        """Send at a steady rate, whatever comes back."""
        due = time.monotonic() + self.number / MESSAGES_PER_SECOND / 7
        while True:
            await asyncio.sleep(due - time.monotonic())
            due += 1 / MESSAGES_PER_SECOND
            name = f"{self.number}-{uuid.uuid4().hex}"
            command = {"type": "message", "content": "Hello", "client_id": name, "ref": name}
            self.talk.sent[name] = time.monotonic()
            await self.socket.send(json.dumps(command))

    async def listen(self) -> None:
        async for text in self.socket:
            frame, now = json.loads(text), time.monotonic()
            if frame["type"] == "ack":
                self.talk.acked[frame["ref"]] = now
            elif frame["type"] == "error":
                self.talk.wrong.append(frame["code"])
            elif frame["type"] == "message" and not self._is_mine(frame):
                self.talk.heard[frame["client_id"]] = now

    def _is_mine(self, frame: dict[str, Any]) -> bool:
        return str(frame["client_id"]).startswith(f"{self.number}-")


async def read_history(talk: Talk, address: str, who: dict[str, Any]) -> None:
    """Look at the last messages again and again."""
    bearer = {"Authorization": f"Bearer {who['token']}"}
    async with httpx.AsyncClient(base_url=address, headers=bearer, timeout=LAST_SECONDS) as http:
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) / READS_PER_SECOND)
            name = uuid.uuid4().hex
            talk.asked[name] = time.monotonic()
            try:
                answer = await http.get(f"/api/chat/rooms/{who['room']}/messages/?limit=20")
                answer.raise_for_status()
                talk.read[name] = time.monotonic()
            except httpx.HTTPError as error:
                talk.wrong.append(repr(error))


async def main() -> None:
    """Talk until there is nothing more to read."""
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    talk, address = Talk(), f"127.0.0.1:{told['port']}"
    doing, listening = [], []
    for number, who in enumerate(told["actors"]):
        header = {"Authorization": f"Bearer {who['token']}"}
        url = f"ws://{address}/ws/chat/{who['room']}/"
        person = Person(talk, await connect(url, additional_headers=header), number)
        doing += [asyncio.create_task(person.speak())]
        listening += [asyncio.create_task(person.listen())]
    doing += [
        asyncio.create_task(read_history(talk, f"http://{address}", who))
        for who in told["actors"][::2]
    ]
    await asyncio.to_thread(sys.stdin.read)
    for task in doing:
        task.cancel()
    await _until_heard(talk)
    for task in listening:
        task.cancel()
    ends = await asyncio.gather(*doing, *listening, return_exceptions=True)
    talk.wrong += [repr(end) for end in ends if not isinstance(end, asyncio.CancelledError)]
    print(json.dumps(asdict(talk)), flush=True)


async def _until_heard(talk: Talk) -> None:
    end = time.monotonic() + LAST_SECONDS
    while time.monotonic() < end and not len(talk.sent) == len(talk.acked) == len(talk.heard):
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
