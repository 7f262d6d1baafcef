"""Somebody's reference client in this test, and what must never be told to it."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

from e2e.asyncapi import checked
from e2e.client import Client
from messaging_service.tests.people import Person

SECONDS = 5.0
OF_A_ROOM = {"message", "message.updated", "member.joined", "member.left", "typing", "read"}


class Device:
    """A client that can be kept away, and that notes what it hears of rooms it is not in."""

    def __init__(self, person: Person, *, http: str, sockets: str) -> None:
        self.person = person
        self.heard: list[str] = []
        self.messages: set[int] = set()
        self.leaked: list[dict[str, Any]] = []
        self._out_of: set[int] = set()
        self._may_come = asyncio.Event()
        self._may_come.set()
        self.client = Client(http, self._token, sockets=sockets)
        self.client.heard = self._hear

    @property
    def is_away(self) -> bool:
        return not self._may_come.is_set()

    async def leave(self) -> None:
        """Lose the connection and stay away."""
        self._may_come.clear()
        self.client.connection.cut()
        await self.until(lambda: not self.client.connection.is_ready)

    async def come_back(self) -> None:
        self._may_come.set()
        await self.until(lambda: self.client.is_current)

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(SECONDS):
            await self.client.until(true)

    @property
    def view(self) -> dict[int, Any]:
        """What it would show, room by room."""
        return {
            room_id: {
                "people": sorted(room.people),
                "messages": {message["seq"]: message for message in room.messages.values()},
            }
            for room_id, room in self.client.replica.rooms.items()
        }

    @property
    def positions(self) -> dict[int, int]:
        """Where it stands: by room, and under 0 in what is personal."""
        rooms = {room_id: room.pos for room_id, room in self.client.replica.rooms.items()}
        return rooms | {0: self.client.replica.user_pos}

    async def _token(self, renew: bool) -> str:  # noqa: FBT001 - as the client calls it.
        await self._may_come.wait()
        return self.person.token

    def _hear(self, text: str) -> None:
        checked(text)
        self.heard.append(text)
        frame = json.loads(text)
        kind, room_id = frame["type"], frame.get("room", 0)
        if kind in {"room.added", "synced"}:
            self._out_of.discard(room_id)
        elif kind in OF_A_ROOM and room_id in self._out_of:
            self.leaked.append(frame)
        if kind in {"message", "message.updated"}:
            self.messages.add(frame["id"])
        if kind == "member.left" and frame["user_id"] == self.person.id:
            self._out_of.add(room_id)


@asynccontextmanager
async def device_of(person: Person, *, http: str, sockets: str):
    device = Device(person, http=http, sockets=sockets)
    async with device.client:
        await device.until(lambda: device.client.is_current)
        yield device
