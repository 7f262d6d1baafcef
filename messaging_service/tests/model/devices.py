"""Somebody's reference client in this test, and what must never be told to it."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

from e2e.replica import Frame
from e2e.watched import Watched
from messaging_service.tests.people import Person

SECONDS = 5.0
OF_A_ROOM = {"message", "message.updated", "member.joined", "member.left", "typing", "read"}


class Device(Watched):
    """A client that can be kept away, and that notes what it hears of rooms it is not in."""

    def __init__(self, person: Person, *, http: str, sockets: str) -> None:
        super().__init__(http, self._token_of_his)
        self.url = f"{sockets}/ws/chat/"
        self.person = person
        self.messages: set[int] = set()
        self.leaked: list[Frame] = []
        self._out_of: set[int] = set()
        self._may_come = asyncio.Event()
        self._may_come.set()

    @property
    def is_away(self) -> bool:
        return not self._may_come.is_set()

    async def leave(self) -> None:
        """Lose the connection and stay away."""
        self._may_come.clear()
        self.cut()
        await self.until(lambda: not self.ready.is_set(), within=SECONDS)

    async def come_back(self) -> None:
        self._may_come.set()
        await self.until(lambda: self.is_current, within=SECONDS)

    async def hear(self, socket: ClientConnection) -> Frame:
        frame = await super().hear(socket)
        self._note(frame)
        return frame

    @property
    def view(self) -> dict[int, Any]:
        """What it would show, room by room."""
        return {
            room_id: {
                "people": sorted(id_ for id_, member in room.members.items() if member["here"]),
                "messages": {message["seq"]: message for message in room.messages.values()},
            }
            for room_id, room in self.replica.rooms.items()
        }

    @property
    def positions(self) -> dict[int, int]:
        """Where it stands: by room, and under 0 in what is personal."""
        rooms = {room_id: room.pos for room_id, room in self.replica.rooms.items()}
        return rooms | {0: self.replica.user_pos}

    async def _token_of_his(self, renew: bool) -> str:  # noqa: FBT001 - as the client calls it.
        await self._may_come.wait()
        return self.person.token

    def _note(self, frame: Frame) -> None:
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
    async with Device(person, http=http, sockets=sockets) as device:
        await device.until(lambda: device.is_current, within=SECONDS)
        yield device
