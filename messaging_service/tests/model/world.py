"""A room, three people in it with four devices on two processes, and everything they may do."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from redis import Redis

from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import delete_message, edit_message, send_message
from messaging.models import Member
from messaging.queries.changes import room_changes
from messaging.queries.positions import personal_position_of
from messaging.serializers.messages import new_message
from messaging_service.tests.doorbell import Doorbell, Fate
from messaging_service.tests.model.devices import SECONDS, Device, device_of
from messaging_service.tests.people import Api, Person


@dataclass(frozen=True)
class Act:
    """Something done; `who` and `which` are numbers, counted around what there is."""

    verb: str
    who: int = 0
    which: int = 0
    fates: tuple[Fate, ...] = (Fate.TOLD,)


@dataclass(frozen=True)
class Fresh:
    """What there is for somebody to see, and the positions at which all of it has been told."""

    rooms: dict[int, Any]
    positions: dict[int, range]


class World:
    """Carries out a story, step by step, and compares after each what is shown with what is."""

    def __init__(self, people: list[Person], room_id: int, api: Api, doorbell: Doorbell) -> None:
        self.people = people
        self.room_id = room_id
        self.inside = {person.id for person in people[:2]}
        self.messages: list[tuple[Person, int]] = []
        self.edits = 0
        self.devices: list[Device] = []
        self._api = api
        self._doorbell = doorbell
        self._thread = ThreadPoolExecutor(1)

    async def play(self, story: list[list[Act]], *, http: str, sockets: list[str]) -> None:
        async with AsyncExitStack() as opened:
            opened.callback(self._end)
            for number, owner in enumerate([0, 1, 2, 0]):
                device = device_of(self.people[owner], http=http, sockets=sockets[number % 2])
                self.devices.append(await opened.enter_async_context(device))
            for step in story:
                for act in step:
                    await getattr(self, act.verb)(act)
                await self._do(self._doorbell.tell_late)
                await self._compare()

    # ---- what may be done ------------------------------------------------------------------------

    async def send(self, act: Act) -> None:
        if person := self._of(act.who, self._members):
            new = new_message({"content": f"message {len(self.messages)}"}, room_id=self.room_id)
            arguments = {"sender_id": person.id, "room_id": self.room_id, "message": new}
            sent = await self._tell(act, send_message, **arguments)
            self.messages.append((person, json.loads(sent.text)["id"]))

    async def edit(self, act: Act) -> None:
        if found := self._of(act.which, self.messages):
            self.edits += 1
            content = f"edited {self.edits}"
            await self._tell(
                act, edit_message, user_id=found[0].id, message_id=found[1], content=content
            )

    async def delete(self, act: Act) -> None:
        if found := self._of(act.which, self.messages):
            self.messages.remove(found)
            await self._tell(act, delete_message, user_id=found[0].id, message_id=found[1])

    async def remove(self, act: Act) -> None:
        if person := self._of(act.who, self._members):
            self.inside.discard(person.id)
            # Whatever becomes of him, he sees none of these again.
            self.messages = [found for found in self.messages if found[0] is not person]
            await self._tell(act, remove_member, room_id=self.room_id, user_id=person.id)

    async def add(self, act: Act) -> None:
        outside = [person for person in self.people if person.id not in self.inside]
        if person := self._of(act.who, outside):
            self.inside.add(person.id)
            await self._tell(act, add_member, room_id=self.room_id, user_id=person.id)

    async def say(self, act: Act) -> None:
        """Send over a socket: the process of that socket tells the others."""
        here = [each for each in self.devices if not each.is_away and each.person.id in self.inside]
        if device := self._of(act.who, here):
            async with asyncio.timeout(SECONDS):
                sent = await device.client.send(self.room_id, f"message {len(self.messages)}")
            self.messages.append((device.person, sent["id"]))

    async def reconnect(self, act: Act) -> None:
        self.devices[act.who % len(self.devices)].client.connection.cut()

    async def leave(self, act: Act) -> None:
        await self.devices[act.who % len(self.devices)].leave()

    async def come_back(self, act: Act) -> None:
        if device := self._of(act.who, [each for each in self.devices if each.is_away]):
            await device.come_back()

    async def lose_redis(self, _: Act) -> None:
        """Cut the connection of every process that listens."""

        def cut() -> None:
            with Redis.from_url(settings.REDIS_URL) as redis:
                redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

        await self._do(cut)

    # ---- what is so ------------------------------------------------------------------------------

    async def _compare(self) -> None:
        """Every device that is here shows, within the time promised, what its owner may see."""
        for device in self.devices:
            assert device.leaked == [], (device.person.username, device.heard[-20:])
            if not device.is_away:
                await self._compare_one(device, await self._do(self._look, device.person))

    @staticmethod
    async def _compare_one(device: Device, fresh: Fresh) -> None:
        def is_right() -> bool:
            if not device.client.is_current or device.view != fresh.rooms:
                return False
            return all(device.positions[id_] in here for id_, here in fresh.positions.items())

        try:
            await device.until(is_right)
        except TimeoutError:
            shown = (device.client.is_current, device.view, device.positions)
            message = f"{device.person.username} holds {shown}, there is {fresh}"
            raise AssertionError(f"{message}, last heard: {device.heard[-20:]}") from None

    def _look(self, person: Person) -> Fresh:
        """What somebody who comes now would see."""
        rooms = self._api.get("rooms/", token=person.token).json()["results"]
        user_pos = personal_position_of(person.id)
        positions = {room["id"]: self._positions_in(room, person) for room in rooms}
        return Fresh(
            rooms={room["id"]: self._look_into(room, person) for room in rooms},
            positions=positions | {0: range(user_pos, user_pos + 1)},
        )

    def _look_into(self, room: dict[str, Any], person: Person) -> dict[str, Any]:
        path = f"rooms/{room['id']}/messages/?limit=100"
        history = self._api.get(path, token=person.token).json()["results"]
        return {
            "people": sorted(each["user_id"] for each in room["participants"]),
            "messages": {message["seq"]: message for message in history},
        }

    @staticmethod
    def _positions_in(room: dict[str, Any], person: Person) -> range:
        """Where he may stand: nobody is told that something changed which he may not see."""
        joined = Member.objects.get(room=room["id"], user=person.id).joined_pos
        asked = room_changes(user_id=person.id, positions={room["id"]: joined})
        changes = asked.rooms[room["id"]]
        assert changes is not None
        return range(max([joined, *(each.pos for each in changes.events)]), room["pos"] + 1)

    @property
    def _members(self) -> list[Person]:
        return [person for person in self.people if person.id in self.inside]

    @staticmethod
    def _of(number: int, some: list[Any]) -> Any:
        return some[number % len(some)] if some else None

    async def _tell(self, act: Act, action: Any, **arguments: Any) -> Any:
        done = await self._do(action, **arguments)
        await self._do(self._doorbell.decide, act.fates)
        return done

    async def _do(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Run something that may use the database: not on the loop's own thread."""
        work = asyncio.get_running_loop().run_in_executor
        return await work(self._thread, lambda: function(*arguments, **named))

    def _end(self) -> None:
        self._thread.submit(connection.close)
        self._thread.shutdown()
