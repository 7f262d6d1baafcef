"""Finds what Redis lost: asks Postgres, again and again, who has moved on without being told.

Rooms and people are spread over a cycle. A busy one is always past what was told by what is in
flight, so each suspicion is looked at once more before anything is read.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from messaging.queries.positions import current_epoch, people_elsewhere, rooms_elsewhere
from messaging.websocket.hub.streams import PersonStream, RoomStream
from messaging.websocket.threads import in_database_thread

if TYPE_CHECKING:
    from messaging.websocket.hub import Hub
    from messaging.websocket.hub.feed import Feed

logger: Final = logging.getLogger(__name__)

CYCLE_SECONDS: Final = 2.0
PARTS: Final = 10
SECOND_LOOK_SECONDS: Final = 0.25


class Audit:
    """Compares what a hub has told with what Postgres holds."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._epoch: str | None = None

    async def run_for_ever(self) -> None:
        while True:
            await self._look_at_epoch()
            for part in range(PARTS):
                await asyncio.sleep(CYCLE_SECONDS / PARTS)
                feeds = self._hub.feeds.values()
                await self.run(feed for feed in feeds if feed.turn % PARTS == part)

    async def run(self, feeds: Iterable["Feed"]) -> None:
        """Look at these feeds; what is behind, and stays so, is refilled."""
        known = {feed: feed.pos for feed in feeds if feed.pos is not None}
        fallen = []
        for feed, pos in (await self._elsewhere(known)).items():
            if pos > known[feed]:
                self._hub.refills.look_again(feed, after=SECOND_LOOK_SECONDS, known=pos)
            else:
                fallen.append(feed)
        if fallen:
            await self._look_at_fallen(fallen)

    async def _elsewhere(self, known: dict["Feed", int]) -> dict["Feed", int]:
        """Of the feeds those whose position in Postgres is another one, and which."""
        rooms = {f.stream.room_id: f for f in known if isinstance(f.stream, RoomStream)}
        people = {f.stream.user_id: f for f in known if isinstance(f.stream, PersonStream)}
        found: dict[Feed, int] = {}
        try:
            if rooms:
                asked = {id_: known[feed] for id_, feed in rooms.items()}
                moved = await in_database_thread(rooms_elsewhere, asked)
                found |= {rooms[id_]: pos for id_, pos in moved.items()}
            if people:
                there = {id_: known[feed] for id_, feed in people.items()}
                changed = await in_database_thread(people_elsewhere, there)
                found |= {people[id_]: pos for id_, pos in changed.items()}
        except Exception:
            logger.exception("The audit could not read positions.")
        return found

    async def _look_at_fallen(self, feeds: list["Feed"]) -> None:
        """Positions never fall, unless an older state of the database took its place."""
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        known = {feed: feed.pos for feed in feeds if feed.pos is not None}
        still = await self._elsewhere(known)
        self._hub.send_away([feed for feed, pos in still.items() if pos < known[feed]])

    async def _look_at_epoch(self) -> None:
        try:
            epoch = await in_database_thread(current_epoch)
        except Exception:
            logger.exception("The audit could not read the epoch.")
            return
        if self._epoch not in {None, epoch}:
            logger.warning("The epoch has changed: every socket starts over.")
            self._hub.send_away(list(self._hub.feeds.values()))
        self._epoch = epoch
