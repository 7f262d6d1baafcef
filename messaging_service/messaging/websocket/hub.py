"""Tells every local socket what happens in its room, in order, without gaps.

There is one hub in a socket process, and one feed in it for each room with a local socket. A feed
stands at the position it delivered last. What Redis brings is delivered if it is the next one,
dropped if it is known, and held if something before it is missing; what stays missing is read from
Postgres. What Redis lost altogether, the audit finds.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from messaging.broadcast import unseal
from messaging.events import room_channel
from messaging.queries.messages import changes_since
from messaging.queries.rooms import moved_past, position_of
from messaging.websocket.feed import MOST_HELD, Feed
from messaging.websocket.subscriptions import Subscriptions
from messaging.websocket.threads import in_database_thread

logger: Final = logging.getLogger(__name__)

CROSSED_PUBLISH_SECONDS: Final = 0.03
REFILL_PAGE: Final = 500
AUDIT_CYCLE_SECONDS: Final = 2.0
AUDIT_PARTS: Final = 10
SECOND_LOOK_SECONDS: Final = 0.25


class Hub:
    """The only subscriber of this process, and the only one that tells its sockets of rooms."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._subscriptions = Subscriptions(heard=self._hear, restored=self._audit_all)
        self._work: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._spawn(self._subscriptions.run())
        self._spawn(self._audit_for_ever())

    async def stop(self) -> None:
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def open(self, room_id: int) -> Feed:
        """The room's feed, listening; give it back with `release`. Raises a store's error."""
        feed = self._feeds.get(room_id)
        if feed is None:
            feed = self._feeds[room_id] = Feed(room_id)
            feed.opening = asyncio.create_task(self._open(feed))
        feed.users += 1
        try:
            assert feed.opening is not None
            await asyncio.shield(feed.opening)
        except BaseException:
            self.release(feed)
            raise
        return feed

    async def _open(self, feed: Feed) -> None:
        """Subscribe first, then read the position: nothing falls in between."""
        await self._subscriptions.add(room_channel(feed.room_id))
        feed.move_to(await in_database_thread(position_of, feed.room_id))
        feed.is_open = True
        feed.advance()

    def release(self, feed: Feed) -> None:
        """The last user of a feed ends it."""
        feed.users -= 1
        if feed.users == 0:
            self._feeds.pop(feed.room_id, None)
            self._subscriptions.remove(room_channel(feed.room_id))

    def _hear(self, channel: str, data: bytes) -> None:
        try:
            envelope = unseal(data)
        except ValueError:
            logger.warning("Something that is not an event was published.")
            return
        feed = self._feeds.get(int(channel.rpartition(":")[2]))
        if feed is None:
            return
        feed.take(envelope)
        if feed.held and feed.is_open and not feed.is_refilling:
            wait = 0.0 if len(feed.held) >= MOST_HELD else CROSSED_PUBLISH_SECONDS
            self._refill_after(wait, feed)

    def _refill_after(self, seconds: float, feed: Feed) -> None:
        asyncio.get_running_loop().call_later(seconds, self._refill_if_behind, feed, 0)

    def _refill_if_behind(self, feed: Feed, pos: int) -> None:
        """Read what is missing if something still is: held events, or a known position."""
        behind = bool(feed.held) or feed.pos < pos
        if behind and feed.is_open and not feed.is_refilling and feed.users:
            feed.is_refilling = True
            self._spawn(self._refill(feed))

    async def _refill(self, feed: Feed) -> None:
        """Deliver from Postgres what Redis did not bring; a failure is left to the audit."""
        held = list(feed.held)
        try:
            more = True
            while more:
                read = partial(changes_since, room_id=feed.room_id, limit=REFILL_PAGE)
                changes = await in_database_thread(read, after=feed.pos)
                for event in changes.events:
                    feed.tell(event.text)
                feed.move_to(changes.pos)
                more = changes.more
        except Exception:
            logger.exception("A room could not be refilled.")
        else:
            # Events are told after COMMIT: what was held before this read and is not in it is none.
            feed.forget(held)
            self._refill_after(CROSSED_PUBLISH_SECONDS, feed)
        finally:
            feed.is_refilling = False
            feed.advance()

    async def _audit_for_ever(self) -> None:
        while True:
            for part in range(AUDIT_PARTS):
                await asyncio.sleep(AUDIT_CYCLE_SECONDS / AUDIT_PARTS)
                await self._audit(id_ for id_ in self._feeds if id_ % AUDIT_PARTS == part)

    def _audit_all(self) -> None:
        self._spawn(self._audit(self._feeds))

    async def _audit(self, room_ids: Iterable[int]) -> None:
        """Ask Postgres which rooms have moved on; look again before believing it of busy ones."""
        feeds = [feed for room_id in room_ids if (feed := self._feeds[room_id]).is_open]
        if not feeds:
            return
        try:
            positions = {feed.room_id: feed.pos for feed in feeds}
            moved = await in_database_thread(moved_past, positions)
        except Exception:
            logger.exception("The audit could not read positions.")
            return
        later = asyncio.get_running_loop().call_later
        for feed in feeds:
            if pos := moved.get(feed.room_id):
                later(SECOND_LOOK_SECONDS, self._refill_if_behind, feed, pos)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of this process, started at its first use, on the loop it is used from."""
    global _hub  # noqa: PLW0603 - there is one loop, so one hub, in a process.
    if _hub is None:
        _hub = Hub()
        _hub.start()
    return _hub


async def stop_hub() -> None:
    global _hub  # noqa: PLW0603 - as above.
    if _hub is not None:
        with suppress(asyncio.CancelledError):
            await _hub.stop()
        _hub = None
