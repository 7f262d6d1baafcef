"""A room, three people with six devices on two processes, and everything they may do."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from redis import Redis

from messaging.actions.blocks import block_person, lift_block
from messaging.actions.contacts import end_contact, request_contact
from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import delete_message, edit_message, send_message
from messaging.actions.profiles import know_person
from messaging.actions.reads import mark_read
from messaging.models import Member
from messaging.queries.contacts import CURRENT, contact_between
from messaging.serializers.messages import new_message
from messaging_service.tests.doorbell import Doorbell, Fate
from messaging_service.tests.model.devices import SECONDS, Device, RoomDevice
from messaging_service.tests.model.fresh import Fresh, look
from messaging_service.tests.people import Api, Person


@dataclass(frozen=True)
class Act:
    """Something done; `who` and `which` are numbers, counted around what there is."""

    verb: str
    who: int = 0
    which: int = 0
    fates: tuple[Fate, ...] = (Fate.TOLD,)


class World:
    """Carries out a story, step by step, and compares after each what is shown with what is."""

    def __init__(self, people: list[Person], room_id: int, api: Api, doorbell: Doorbell) -> None:
        self.people = people
        self.room_id = room_id
        self.inside = {person.id for person in people[:2]}
        self.messages: list[tuple[Person, int]] = []
        self.hidden: dict[str, set[int]] = {person.id: set() for person in people}
        self.blocks: set[tuple[str, str]] = set()
        self.edits = 0
        self.devices: list[Device] = []
        self._api = api
        self._doorbell = doorbell
        self._thread = ThreadPoolExecutor(1)

    async def play(self, story: list[list[Act]], *, http: str, sockets: list[str]) -> None:
        async with AsyncExitStack() as opened:
            opened.callback(self._end)
            for device in self._devices(http, sockets):
                self.devices.append(await opened.enter_async_context(device))
            await self._compare()
            for step in story:
                for act in step:
                    await getattr(self, act.verb)(act)
                await self._do(self._doorbell.tell_late)
                await self._compare()
            await self._all_come_back()
            await self._compare(with_marks=True)

    def _devices(self, http: str, sockets: list[str]) -> list[Device]:
        one, two = sockets
        alice, bob, carol = self.people
        rooms = {"room_id": self.room_id, "http": http}
        return [
            Device(alice, http=http, sockets=one),
            Device(bob, http=http, sockets=two),
            Device(carol, http=http, sockets=one),
            Device(alice, http=http, sockets=two),
            RoomDevice(bob, **rooms, sockets=one, by_address=True),
            RoomDevice(carol, **rooms, sockets=two, by_address=False),
        ]

    async def _all_come_back(self) -> None:
        """Whoever comes back is told how far everybody has read."""
        for device in self.devices:
            device.cut()
            await device.come_back()

    # ---- what may be done ------------------------------------------------------------------------

    async def send(self, act: Act) -> None:
        if person := self._of(act.who, self._members):
            new = new_message({"content": f"message {len(self.messages)}"}, room_id=self.room_id)
            arguments = {"sender_id": person.id, "room_id": self.room_id, "message": new}
            sent = await self._tell(act, send_message, **arguments)
            self._sent(person, json.loads(sent.text)["id"])

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

    async def remove_and_add(self, act: Act) -> None:
        """Somebody goes, misses a message, and comes back: perhaps before anybody hears of it."""
        person = self._of(act.who, self._members)
        first, second, third = act.fates
        if person is None or len(self._members) == 1:
            return
        await self.remove(replace(act, fates=(first,)))
        await self.send(replace(act, fates=(second,)))
        self.inside.add(person.id)
        again = replace(act, fates=(third,))
        await self._tell(again, add_member, room_id=self.room_id, user_id=person.id)

    async def say(self, act: Act) -> None:
        """Send over a socket: the process of that socket tells the others."""
        here = [each for each in self.devices if not each.is_away and each.person.id in self.inside]
        if device := self._of(act.who, here):
            async with asyncio.timeout(SECONDS):
                sent = await device.send(self.room_id, f"message {len(self.messages)}")
            self._sent(device.person, sent["id"])

    async def read(self, act: Act) -> None:
        """Read some more; nobody is told of a marker that stays where it is."""
        if person := self._of(act.who, self._members):
            marker = partial(self._marker_of, person)
            before = await self._do(marker)
            arguments = {"user_id": person.id, "room_id": self.room_id}
            await self._do(partial(mark_read, **arguments, seq=before + 1 + act.which % 3))
            if await self._do(marker) > before:
                await self._do(self._doorbell.decide, act.fates)

    async def ask(self, act: Act) -> None:
        """Ask somebody, accept by asking in return, or end what there is."""
        one, other = self.people[act.who % 3], self.people[(act.who + 1 + act.which % 2) % 3]
        if frozenset((one.id, other.id)) in map(frozenset, self.blocks):
            return
        contact = await self._do(contact_between, one.id, other.id)
        is_asked = contact and contact.state == "pending" and contact.addressee_id == one.id
        if contact and contact.state in CURRENT and not is_asked:
            await self._tell(act, end_contact, user_id=one.id, contact_id=contact.pk)
        else:
            profile = await self._do(know_person, user_id=other.id)
            await self._tell(act, request_contact, user_id=one.id, other=profile)

    async def block(self, act: Act) -> None:
        """Block somebody, or take it back; not those two whose room it is."""
        carol, other = self.people[2], self.people[act.which % 2]
        pair = (carol.id, other.id) if act.who % 2 else (other.id, carol.id)
        if pair in self.blocks:
            self.blocks.discard(pair)
            await self._tell(act, lift_block, user_id=pair[0], blocked_id=pair[1])
        else:
            self.blocks.add(pair)
            profile = await self._do(know_person, user_id=pair[1])
            await self._tell(act, block_person, user_id=pair[0], other=profile)

    async def reconnect(self, act: Act) -> None:
        self.devices[act.who % len(self.devices)].cut()

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

    async def _compare(self, *, with_marks: bool = False) -> None:
        """Every device that is here shows, within the time promised, what its owner may see."""
        for device in self.devices:
            told = (device.person.username, device.heard[-20:])
            assert device.leaked == [], told
            assert not device.messages & self.hidden[device.person.id], told
            if not device.is_away:
                fresh = await self._do(look, self._api, device.person)
                await self._compare_one(device, fresh, with_marks=with_marks)

    @staticmethod
    async def _compare_one(device: Device, fresh: Fresh, *, with_marks: bool) -> None:
        def is_right() -> bool:
            return device.shows(fresh) and (not with_marks or device.marks(fresh))

        try:
            await device.until(is_right, within=SECONDS)
        except TimeoutError:
            message = f"{device} holds {device.replica}, there is {fresh}"
            raise AssertionError(f"{message}, last heard: {device.heard[-20:]}") from None

    def _sent(self, sender: Person, message_id: int) -> None:
        """Whoever is outside now may never see it, whatever becomes of him."""
        self.messages.append((sender, message_id))
        for person in self.people:
            if person.id not in self.inside:
                self.hidden[person.id].add(message_id)

    def _marker_of(self, person: Person) -> int:
        return Member.objects.get(room=self.room_id, user=person.id).last_read_seq

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
