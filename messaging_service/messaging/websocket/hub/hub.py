"""The only subscriber of this process, and the only one that tells its sockets of rooms.

There is one feed for each room and each person with a local socket. What Redis brings is told if it
is the next one; what stays missing is read from Postgres. What Redis lost altogether, the audit
finds.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from time import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Histogram

from messaging.broadcast import Envelope, Hear, unseal
from messaging.events import PEOPLE_CHANNEL, room_channel
from messaging.websocket.background import Background
from messaging.websocket.frames import Frame
from messaging.websocket.hub.audit import Audit
from messaging.websocket.hub.feed import Feed
from messaging.websocket.hub.newest import Newest
from messaging.websocket.hub.refills import Refills
from messaging.websocket.hub.seats import Owner
from messaging.websocket.hub.streams import Stream
from messaging.websocket.hub.subscriptions import Subscriptions
from messaging.websocket.inbox import inbox_of

if TYPE_CHECKING:
    from messaging.websocket.outlets import Outlet

logger: Final = logging.getLogger(__name__)

# So many sockets in one room are told at most 125 times a second: each write takes 5 us.
FULL_ROOM: Final = 50
REST_SECONDS: Final = 0.008
# At one time: whoever enters needs the database threads, too.
MOST_CATCH_UPS: Final = 2

_lag: Final = Histogram(
    "parley_delivery_lag_seconds",
    "From COMMIT to the sockets, by the oldest event of each wake-up.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


class Hub:
    """The feeds of this process, and the listening they need."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self._background = Background()
        self._audit = Audit(self)
        self._newest = Newest()
        self._subscriptions = Subscriptions(
            heard=self._hear,
            restored=lambda: self._background.start(self._audit.run(self.feeds.values())),
        )
        self.refills = Refills(self._background)
        self.catching_up = asyncio.Semaphore(MOST_CATCH_UPS)

    def start(self) -> None:
        self._subscriptions.want([PEOPLE_CHANNEL])
        self._background.start(self._subscriptions.run())
        self._background.start(self._audit.run_for_ever())

    async def stop(self) -> None:
        await self._background.stop()

    # ---- who listens -----------------------------------------------------------------------------

    async def open(self, streams: Iterable[Stream], owner: Owner) -> list[Feed]:
        """The feeds, listening (Redis willing); give each back with `release`."""
        feeds = [self._use(stream, owner) for stream in streams]
        try:
            await self._subscriptions.add([feed.stream.channel for feed in feeds])
        except BaseException:
            self.release(feeds, owner)
            raise
        return feeds

    def _use(self, stream: Stream, owner: Owner) -> Feed:
        feed = self.feeds.get(stream.channel)
        if feed is None:
            feed = self.feeds[stream.channel] = Feed(stream)
        feed.owners[owner] = None
        return feed

    def release(self, feeds: Iterable[Feed], owner: Owner) -> None:
        """The last owner of a feed ends it."""
        for feed in feeds:
            feed.owners.pop(owner, None)
            if not feed.owners:
                feed.close()
                self._forget(feed)
                if feed.stream.channel not in self.feeds:
                    self._subscriptions.remove(feed.stream.channel)

    def _forget(self, feed: Feed) -> None:
        if self.feeds.get(feed.stream.channel) is feed:
            del self.feeds[feed.stream.channel]

    # ---- what comes ------------------------------------------------------------------------------

    def overhear(self) -> Hear:
        """What takes the events of this process from any thread, long before their echo comes."""
        inbox = inbox_of(asyncio.get_running_loop())
        return partial(inbox.post, self._take)

    def _hear(self, messages: Sequence[tuple[str, bytes]]) -> None:
        heard = []
        for channel, data in messages:
            try:
                heard.append((channel, unseal(data)))
            except Exception:  # noqa: BLE001 - one bad message must not keep the others from anybody.
                logger.warning("Something that is not an event was published.")
        self._take(heard)

    def _take(self, heard: Sequence[tuple[str, Envelope]]) -> None:
        """Take all that has come in at once, then tell it: what belongs together goes together."""
        touched: dict[Feed, None] = {}
        for channel, envelope in heard:
            if channel == PEOPLE_CHANNEL:
                self._tell_of_people(envelope)
            elif feed := self.feeds.get(channel):
                feed.take(envelope, as_of=max((pos for _, pos in envelope.rooms), default=0))
                touched[feed] = None
        for feed in touched:
            self._advance(feed)
        _lag.observe(time() - min((envelope.at for _, envelope in heard), default=time()))

    def _advance(self, feed: Feed) -> None:
        """Tell what has come, but a full room not too often: what comes meanwhile goes together."""
        if feed.is_resting:
            return
        has_told = feed.advance()
        if feed.has_gap and not feed.is_refilling:
            self.refills.look_again(feed)
        if has_told and len(feed.seats) >= FULL_ROOM:
            feed.is_resting = True
            asyncio.get_running_loop().call_later(REST_SECONDS, self._wake, feed)

    def _wake(self, feed: Feed) -> None:
        feed.is_resting = False
        self._advance(feed)

    def _tell_of_people(self, envelope: Envelope) -> None:
        """Once to each socket, in however many of the rooms it is; a room that is behind waits."""
        if not self._newest.admits(envelope.subject):
            return
        outlets: dict[Outlet, None] = {}
        hidden = frozenset(envelope.hidden_from)
        for room_id, pos in envelope.rooms:
            feed = self.feeds.get(room_channel(room_id))
            if feed is None or feed.pos is None:
                continue
            if feed.pos < pos:
                feed.take(envelope, as_of=pos)
                self.refills.look_again(feed)
            else:
                seats = (seat for seat in feed.seats if seat.user_id not in hidden)
                outlets.update((seat.outlet, None) for seat in seats)
        frame = Frame(envelope.text, kind=envelope.kind, is_passing=True)
        for outlet in outlets:
            outlet.send(frame)

    # ---- what went back --------------------------------------------------------------------------

    def send_away(self, feeds: Iterable[Feed]) -> None:
        """Close who listens to feeds whose positions mean nothing any more: they come back.

        Who comes meanwhile gets a new feed.
        """
        feeds = list(feeds)
        for feed in feeds:
            self._forget(feed)
        for owner in {owner for feed in feeds for owner in feed.owners}:
            owner.send_away()


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
