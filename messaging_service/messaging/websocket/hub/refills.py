"""What is missing in a feed is read from Postgres, a little later, if it still is."""

import asyncio
import logging
from typing import Final

from prometheus_client import Counter

from messaging.queries.changes import Refill
from messaging.websocket.background import Background
from messaging.websocket.hub.feed import Feed
from messaging.websocket.threads import in_database_thread

logger: Final = logging.getLogger(__name__)

CROSSED_PUBLISH_SECONDS: Final = 0.03
# Whoever enters needs the database threads, too.
MOST_AT_ONCE: Final = 2

_refills: Final = Counter(
    "parley_refills_total",
    "Feeds read from Postgres: for a gap, or because the audit saw more.",
    ["reason"],
)


class Refills:
    """Tells feeds what Redis did not bring; what cannot be read now is left to the audit."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)

    def look_again(
        self, feed: Feed, *, after: float = CROSSED_PUBLISH_SECONDS, known: int = 0
    ) -> None:
        """Read what is missing if, a little later, something still is: up to a known position."""
        asyncio.get_running_loop().call_later(after, self._refill_if_behind, feed, known)

    def _refill_if_behind(self, feed: Feed, known: int) -> None:
        is_behind = feed.has_gap or (feed.pos is not None and feed.pos < known)
        if is_behind and not feed.is_refilling and feed.owners:
            feed.is_refilling = True
            _refills.labels("gap" if feed.has_gap else "audit").inc()
            self._background.start(self._refill(feed))

    async def _refill(self, feed: Feed) -> None:
        held = feed.incoming.positions
        try:
            while (await self._refill_page(feed)).more:
                feed.give_up_the_slow()
                await feed.everybody_told()
        except Exception:
            logger.exception("A feed could not be refilled.")
        else:
            # Events are told after COMMIT: what was held before this read and is not in it is none.
            feed.incoming.forget(held)
            feed.incoming.forget_passing()
            self.look_again(feed)
        finally:
            feed.is_refilling = False
            feed.advance()

    async def _refill_page(self, feed: Feed) -> Refill:
        async with self._at_once:
            user_ids = list({seat.user_id for seat in feed.seats})
            page = await in_database_thread(
                feed.stream.read, after=feed.pos or 0, user_ids=user_ids
            )
        feed.apply(page)
        return page
