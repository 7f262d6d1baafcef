"""Somebody's reference client in this test, and what must never be told to it."""

import asyncio
from collections.abc import Callable
from operator import eq, le
from typing import Any

from websockets.asyncio.client import ClientConnection

from e2e.client import Stopped
from e2e.replica import Frame, Replica, Room
from e2e.watched import Watched
from messaging_service.tests.marked import Ties
from messaging_service.tests.model.fresh import Fresh
from messaging_service.tests.people import Person

SECONDS = 5.0
REMOVED = 4403
# Before somebody who is outside looks again whether he is.
PAUSE_SECONDS = 0.2
OF_A_ROOM = {"message", "message.updated", "member.joined", "member.left", "typing", "read"}


class Device(Watched):
    """A client that can be kept away, and that notes what it hears of rooms it is not in."""

    def __init__(self, person: Person, *, http: str, sockets: str) -> None:
        super().__init__(http, self._token_of_his)
        self._sockets = sockets
        self.url = f"{sockets}/ws/chat/"
        self.person = person
        self.messages: set[int] = set()
        self.leaked: list[Frame] = []
        self.ties = Ties()
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

    def shows(self, fresh: Fresh) -> bool:
        """Whether it holds all there is, stands where it may, and marks nothing as read too far."""
        seen = {room_id: self._see(room) for room_id, room in self.replica.rooms.items()}
        if not self.is_current or seen != fresh.rooms or fresh.ties not in {None, self._tied}:
            return False
        stands = all(self.positions[id_] in here for id_, here in fresh.positions.items())
        return stands and self._marks(fresh, le)

    def marks(self, fresh: Fresh) -> bool:
        """Whether it knows how far everybody has read: markers of others are told once, or lost."""
        return self._marks(fresh, eq)

    def _marks(self, fresh: Fresh, compare: Callable[[int, int], bool]) -> bool:
        return all(
            compare(self.replica.rooms[room_id].reads.get(user_id, 0), seq)
            for room_id, reads in fresh.reads.items()
            for user_id, seq in reads.items()
            if room_id in self.replica.rooms
        )

    def _see(self, room: Room) -> dict[str, Any]:
        mine = room.reads.get(self.person.id, 0)
        others = [each for each in room.messages.values() if each["sender_id"] != self.person.id]
        return {
            "people": sorted(id_ for id_, member in room.members.items() if member["here"]),
            "messages": {message["seq"]: message for message in room.messages.values()},
            "unread": sum(each["seq"] > mine and not each["is_deleted"] for each in others),
        }

    @property
    def _tied(self) -> frozenset[tuple[str, str]]:
        contacts = {(each["user_id"], each["state"]) for each in self.ties.contacts.values()}
        return frozenset(contacts | {(user_id, "blocked") for user_id in self.ties.blocks})

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
        if kind == "me.changed":
            self.ties.apply(frame)
        if kind == "ready":
            self._out_of -= {room["room"] for room in frame["rooms"]}
        elif kind in {"room.added", "synced"}:
            self._out_of.discard(room_id)
        elif kind in OF_A_ROOM and room_id in self._out_of:
            self.leaked.append(frame)
        if kind in {"message", "message.updated"}:
            self.messages.add(frame["id"])
        if kind == "member.left" and frame["user_id"] == self.person.id:
            self._out_of.add(room_id)


class RoomDevice(Device):
    """The same on the socket of one room, for as long as its owner is in it.

    With `by_address` it says in its socket's address where it had come to, and not by a command.
    """

    def __init__(
        self, person: Person, room_id: int, *, http: str, sockets: str, by_address: bool
    ) -> None:
        self._room_id = room_id
        self._by_address = by_address
        self._has_asked = False
        super().__init__(person, http=http, sockets=sockets)

    @property
    def url(self) -> str:
        """Where it connects next."""
        room = self.replica.rooms.get(self._room_id)
        self._has_asked = self._by_address and room is not None
        after = f"?after={room.pos}&epoch={self.replica.epoch}" if room and self._has_asked else ""
        return f"{self._sockets}/ws/chat/{self._room_id}/{after}"

    @url.setter
    def url(self, _: str) -> None:
        """It follows from where it stands."""

    async def run(self) -> None:
        """Come back again and again while its owner is outside."""
        while True:
            try:
                await super().run()
            except Stopped as stopped:
                if stopped.args != (REMOVED,):
                    raise
                self.ready.clear()
                self.replica = Replica()
                await asyncio.sleep(PAUSE_SECONDS)

    async def rooms(self) -> dict[int, Room]:
        shown = await self._get(f"/api/chat/rooms/{self._room_id}/")
        return {self._room_id: Room(shown["pos"])}

    async def say(self, *commands: Frame) -> None:
        """Ask as the socket of a room is asked; nobody's person stands on it."""
        for command in commands:
            if command["type"] != "sync":
                await super().say(command)
            elif "user_pos" in command:
                self.replica.user_behind = False
            elif self._has_asked:
                self._has_asked = False
            else:
                after = command.pop("rooms")[self._room_id]
                await super().say(command | {"after": after})

    async def come_back(self) -> None:
        self._may_come.set()

    def shows(self, fresh: Fresh) -> bool:
        """The same of its room; who is not in it has nothing."""
        if self._room_id not in fresh.rooms:
            return not self.ready.is_set() and not self.replica.rooms
        return super().shows(fresh.of(self._room_id))

    def _see(self, room: Room) -> dict[str, Any]:
        # Nobody tells it again of a marker that moved without its hearing so.
        return super()._see(room) | {"unread": None}
