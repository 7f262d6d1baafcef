"""One look at the database for all who are entering a room at this moment."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from messaging.actions.profiles import remember_caller
from messaging.errors import NotFound
from messaging.queries.positions import Standings, standings_in
from messaging.queries.presence import participants_of, show_to_each
from messaging.websocket.threads import in_database_thread
from service_kit.refusals import Refusal
from service_kit.tokens import Claims

MOST_AT_ONCE: Final = 64
# Of the loop, before a look: whoever has come in by then is in it.
TURNS: Final = 3


class Look(NamedTuple):
    """Where a room stands for somebody, and how its people are; none where they are too many."""

    standings: Standings
    people: list[dict[str, Any]]


Visitor = tuple[Claims, int, asyncio.Future[Look]]


class Reception:
    """Looks for everybody who waits; whoever comes meanwhile is in the next look.

    There is no timer: alone, one costs nothing extra; when everybody comes at once, a look serves
    many.
    """

    def __init__(self) -> None:
        self._waiting: list[Visitor] = []
        self._task: asyncio.Task[None] | None = None

    async def look(self, claims: Claims, room_id: int) -> Look:
        """Raises NotFound for a stranger, and what a store raises."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((claims, room_id, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._look_for_all())
        looked: Look = await answer
        return looked

    async def _look_for_all(self) -> None:
        try:
            while self._waiting:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                some, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._look_for(some)
        finally:
            self._task = None

    async def _look_for(self, some: Sequence[Visitor]) -> None:
        found: Sequence[Look | Exception]
        try:
            asked = [(claims, room_id) for claims, room_id, _ in some]
            found = await in_database_thread(look_into_rooms, asked)
        except Exception as error:  # noqa: BLE001 - each who waits is told.
            found = [error] * len(some)
        for (_, _, answer), look in zip(some, found, strict=True):
            if answer.done():
                continue
            if isinstance(look, Exception):
                answer.set_exception(look)
            else:
                answer.set_result(look)


def look_into_rooms(asked: Sequence[tuple[Claims, int]]) -> list[Look | Exception]:
    """For each in this order what he may know, or why he may not."""
    refused = [_remember(claims) for claims, _ in asked]
    standings = standings_in([(claims.user_id, room_id) for claims, room_id in asked])
    people = participants_of({room.room_id for found in standings for room in found.rooms})
    shown = show_to_each((claims.user_id, people.get(room_id, [])) for claims, room_id in asked)
    looks: list[Look | Exception] = []
    for refusal, found, those in zip(refused, standings, shown, strict=True):
        if refusal or not found.rooms:
            looks.append(refusal or NotFound("room"))
        else:
            looks.append(Look(found, those))
    return looks


def _remember(claims: Claims) -> Refusal | None:
    try:
        remember_caller(claims=claims)
    except Refusal as refusal:
        return refusal
    return None


_reception: Final = Reception()


def reception() -> Reception:
    """The one of this process."""
    return _reception
