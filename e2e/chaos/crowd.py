"""Who is there in a run: people who write in a ring of rooms, second devices, guests, readers."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from e2e.chaos.clients.doorkeeper import Doorkeeper
from e2e.chaos.clients.listener import Listener
from e2e.chaos.clients.poster import Poster
from e2e.chaos.clients.reader import Reader
from e2e.chaos.clients.script import Account, Script, patiently, sign_up
from e2e.chaos.clients.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from threading import Event

    from local.stack import Stack

PEOPLE, GUESTS = 10, 3
# What is behind is repaired within 5 s: nothing may come after that.
QUIET_SECONDS = 6.0
SETTLE_SECONDS = 60.0
PATIENT, IMPATIENT = 25.0, 6.0


@dataclass
class Crowd:
    """`rate` messages a second in all, a tenth of them over HTTP."""

    script: Script
    stack: Stack
    rate: float = 50.0
    people: list[Account] = field(default_factory=list)
    guests: list[Account] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    _beside: list[asyncio.Task[None]] = field(default_factory=list)

    async def perform(self, is_there: Event, when_quiet: Callable[[], None]) -> None:
        """Be there, write until the script says no more, and see it through to the end."""
        await self._arrive()
        await self._until_current()
        is_there.set()
        doorkeeper = self._start(Doorkeeper(self.script, self.stack).work(self.guests, self.rooms))
        async with asyncio.timeout(None) as limit:
            writing = asyncio.gather(*self._writing())
            while self.script.is_writing:
                await asyncio.sleep(0.1)
            limit.reschedule(asyncio.get_running_loop().time() + SETTLE_SECONDS)
            await writing
        await _stop(doorkeeper)
        await self._until_quiet()
        await asyncio.to_thread(when_quiet)
        await _stop(*self._beside)

    # ---- arriving --------------------------------------------------------------------------------

    async def _arrive(self) -> None:
        async with httpx.AsyncClient(base_url=self.script.address, timeout=30) as http:
            for n in range(PEOPLE):
                self.people.append(await sign_up(http, f"person{n}"))
            for n in range(GUESTS):
                guest = await sign_up(http, f"guest{n}")
                # Whoever has never spoken to messaging_service is unknown there.
                await patiently(http, "GET", "/api/chat/rooms/", headers=guest.bearer)
                self.guests.append(guest)
            for n, person in enumerate(self.people):
                await self._open_room(http, person, self.people[(n + 1) % PEOPLE])
        for person in self.people:
            self._listens(Writer(self.script, f"{person.name}-1", person, patience=PATIENT))
            self._listens(Listener(self.script, f"{person.name}-2", person, patience=IMPATIENT))
        for guest in self.guests:
            self._listens(Listener(self.script, f"{guest.name}-1", guest, patience=IMPATIENT))

    async def _open_room(self, http: httpx.AsyncClient, one: Account, other: Account) -> None:
        body = {"room_type": "direct", "participants": [other.user_id]}
        # The other one is unknown here until he has spoken.
        await patiently(http, "GET", "/api/chat/rooms/", headers=other.bearer)
        opened = await patiently(http, "POST", "/api/chat/rooms/", json=body, headers=one.bearer)
        room = opened["id"]
        self.rooms.append(room)
        for person in (one, other):
            self.script.note("setup", "found", user=person.user_id, room=room)

    def _listens(self, listener: Listener) -> None:
        self.listeners.append(listener)
        self._start(listener.run())

    # ---- writing ---------------------------------------------------------------------------------

    def _writing(self) -> list[Coroutine[None, None, None]]:
        """Start who marks and polls until the end, and return who writes."""
        for listener in self.listeners:
            if not isinstance(listener, Writer):
                self._start(listener.mark_read())
        poller = Reader(self.script, "poller", self.people[0])
        self._start(poller.poll(self.rooms_of(self.people[0])))
        return [
            *(
                each.write(self.rooms_of(each.account), 0.9 * self.rate / PEOPLE)
                for each in self.listeners
                if isinstance(each, Writer)
            ),
            *(
                Poster(self.script, f"{person.name}-http", person).write(
                    self.rooms_of(person), 0.05 * self.rate
                )
                for person in (self.people[3], self.people[7])
            ),
        ]

    def rooms_of(self, person: Account) -> list[int]:
        """Room n is of the nth person and the next one."""
        n = self.people.index(person)
        return [self.rooms[n - 1], self.rooms[n]]

    # ---- ending ----------------------------------------------------------------------------------

    async def _until_current(self) -> None:
        async with asyncio.timeout(SETTLE_SECONDS):
            while not all(each.is_current for each in self.listeners):
                await asyncio.sleep(0.05)

    async def _until_quiet(self) -> None:
        """Who still lacks something has it by then, or never gets it."""
        began = time.monotonic()
        with suppress(TimeoutError):
            await self._until_current()
        await asyncio.sleep(max(QUIET_SECONDS, began + QUIET_SECONDS - time.monotonic()))
        self.script.note("run", "phase", event="quiet")

    def _start(self, what: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(what)
        self._beside.append(task)
        return task


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """End them; raises what one of them had ended with already."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
