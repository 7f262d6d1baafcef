"""Who is there in a run: people who write in a ring of rooms, who listen, who come and go."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import httpx

from e2e.chaos.clients.doorkeeper import Doorkeeper
from e2e.chaos.clients.leaver import Leaver
from e2e.chaos.clients.observer import Observer
from e2e.chaos.clients.poster import Poster
from e2e.chaos.clients.reader import Reader
from e2e.chaos.clients.script import Account, Script, patiently, sign_up
from e2e.chaos.clients.visitor import Visitor
from e2e.chaos.clients.writer import Writer
from e2e.history.history import LEFT, VANISHED
from e2e.proxy import Proxy
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from threading import Event

    from e2e.chaos.clients.listener import Listener
    from e2e.chaos.wire import Wire
    from local.stack import Stack

GUESTS = 3
# Who visits whom, and how he goes.
VISITORS = {4: LEFT, 8: VANISHED}
# Who shares a room with somebody whose sessions end.
LEFT_BY = (2, 6)
# What is behind is repaired within 5 s: nothing may come after that.
QUIET_SECONDS = 6.0
SETTLE_SECONDS = 60.0
SCATTER_SECONDS = 3.0
PATIENT, IMPATIENT = 25.0, 6.0


@dataclass(frozen=True)
class Size:
    """`rate` messages a second in all, of which `over_http` is the part that is not over sockets.

    Each person shares a room with each of the `neighbours` next. With `visits` some come and go,
    and sessions of some end.
    """

    people: int = 10
    neighbours: int = 1
    rate: float = 50.0
    over_http: float = 0.1
    visits: bool = True


# Where some time passes between two messages, the second does not tell that the first was lost.
QUIET_ROOMS = Size(people=30, neighbours=14, rate=60)


@dataclass
class Crowd:
    """Those of one run, from signing up until all is quiet."""

    script: Script
    stack: Stack
    size: Size = field(default_factory=Size)
    people: list[Account] = field(default_factory=list)
    guests: list[Account] = field(default_factory=list)
    rooms: dict[int, tuple[Account, Account]] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    wire: Wire | None = None
    far: Proxy = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _beside: list[asyncio.Task[None]] = field(default_factory=list)

    async def perform(self, is_there: Event, when_quiet: Callable[[], None]) -> None:
        """Be there, write until the script says no more, and see it through to the end."""
        self._loop = asyncio.get_running_loop()
        # Second devices are behind it.
        where = self.wire.here if self.wire else LOOPBACK
        self.far = Proxy(self.stack.port, listens_on=where)
        try:
            await self._arrive()
            await self._until_current()
            is_there.set()
            await self._work()
            await self._until_quiet()
            await asyncio.to_thread(when_quiet)
        finally:
            await _stop(*self._beside)
            for reader in self.readers:
                await reader.http.aclose()
            self.far.close()

    def scatter(self) -> None:
        """Let everybody come back to some process or other, and wait until they have; any thread.

        Those that stay with one process stay for the whole run otherwise.
        """
        for listener in self.listeners:
            self._loop.call_soon_threadsafe(listener.cut)
        time.sleep(SCATTER_SECONDS)

    async def _work(self) -> None:
        """Write until the script says no more; raises TimeoutError if that cannot be settled."""
        doorkeeper = self._start(
            Doorkeeper(self.script, self.stack).work(self.guests, [*self.rooms])
        )
        async with asyncio.timeout(None) as limit:
            writing = asyncio.gather(*self._writing())
            while self.script.is_writing:
                await asyncio.sleep(0.1)
            limit.reschedule(asyncio.get_running_loop().time() + SETTLE_SECONDS)
            await writing
        await _stop(doorkeeper)

    # ---- arriving --------------------------------------------------------------------------------

    async def _arrive(self) -> None:
        async with httpx.AsyncClient(base_url=self.script.address, timeout=30) as http:
            for n in range(self.size.people):
                self.people.append(await self._arrives(http, f"person{n}"))
            for n in range(GUESTS):
                self.guests.append(await self._arrives(http, f"guest{n}"))
            for n, person in enumerate(self.people):
                for m in range(1, self.size.neighbours + 1):
                    other = self.people[(n + m) % self.size.people]
                    await self._open_room(http, person, other)
            for n, how in VISITORS.items() if self.size.visits else ():
                await self._visits(http, self.people[n], how)
            for n in LEFT_BY if self.size.visits else ():
                leaver = await self._arrives(http, f"leaver{n}")
                await self._open_room(http, self.people[n], leaver)
                self._listens(Leaver(self.script, f"{leaver.name}-1", leaver, patience=IMPATIENT))
        for person in self.people:
            self._listens(Writer(self.script, f"{person.name}-1", person, patience=PATIENT))
            second = Observer(self.script, f"{person.name}-2", person, patience=IMPATIENT)
            second.address = f"http://localhost:{self.far.port}"
            if self.wire:
                second.dial = partial(self.wire.dial, self.far.port)
            self._listens(second)
        for guest in self.guests:
            self._listens(Observer(self.script, f"{guest.name}-1", guest, patience=IMPATIENT))

    @staticmethod
    async def _arrives(http: httpx.AsyncClient, name: str) -> Account:
        """Sign up and ask for something: who has never done that is unknown to messaging."""
        account = await sign_up(http, name)
        await patiently(http, "GET", "/api/chat/rooms/", headers=account.bearer)
        return account

    async def _visits(self, http: httpx.AsyncClient, person: Account, how: str) -> None:
        visitor = await self._arrives(http, f"visitor{len(self.listeners)}")
        await self._open_room(http, visitor, person)
        self._listens(
            Visitor(self.script, f"{visitor.name}-1", visitor, patience=IMPATIENT, how=how)
        )

    async def _open_room(self, http: httpx.AsyncClient, one: Account, other: Account) -> None:
        body = {"room_type": "direct", "participants": [other.user_id]}
        opened = await patiently(http, "POST", "/api/chat/rooms/", json=body, headers=one.bearer)
        room = opened["id"]
        self.rooms[room] = one, other
        for person in (one, other):
            self.script.note("setup", "found", user=person.user_id, room=room)

    def _listens(self, listener: Listener) -> None:
        self.listeners.append(listener)
        self.readers.append(listener)
        self._start(listener.run())

    # ---- writing ---------------------------------------------------------------------------------

    def _writing(self) -> list[Coroutine[None, None, None]]:
        """Start who marks and polls until the end, and return who writes."""
        for listener in self.listeners:
            if isinstance(listener, Observer):
                self._start(listener.mark_read())
        poller = Reader(self.script, "poller", self.people[0])
        posters = [Poster(self.script, f"{n}-http", self.people[n]) for n in (3, 7)]
        self.readers += [poller, *posters]
        rate, over_http = self.size.rate, self.size.over_http
        self._start(poller.poll(self.rooms_of(poller.account)))
        return [
            *(
                each.write(self.rooms_of(each.account), (1 - over_http) * rate / len(self.people))
                for each in self.listeners
                if isinstance(each, Writer)
            ),
            *(
                each.write(self.rooms_of(each.account), over_http * rate / len(posters))
                for each in posters
                if over_http
            ),
        ]

    def rooms_of(self, person: Account) -> list[int]:
        return [room for room, pair in self.rooms.items() if person in pair]

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
