"""Which sessions have ended, as this process knows from Postgres."""

import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Final

from messaging.actions.profiles import forget_caller
from messaging.queries.ended_sessions import Ended, News, ended_since
from service_kit.database import time_limit
from service_kit.refusals import Refusal
from service_kit.tokens import Claims

if TYPE_CHECKING:
    from collections.abc import Callable

# What is known is looked up anew every second; a process that stood still looks before it goes on.
FRESH_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 1.0
# After a session's `until`, by clocks that may not agree.
KEPT_SECONDS: Final = 300.0
PRUNE_SECONDS: Final = 60.0

_NOTHING: Final = -1


class EndedSessions:
    """All of them in memory, so that no request asks a database for it."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._number = _NOTHING
        self._known_at = float("-inf")
        self._pruned_at = time.monotonic()
        self._looking = threading.Lock()
        self.told: Callable[[], None] = lambda: None
        """Called, in any thread, when more have ended."""

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._until

    @property
    def is_fresh(self) -> bool:
        """Whether this was looked up so lately that it may be relied on."""
        return time.monotonic() - self._known_at < FRESH_SECONDS

    def refuse(self, claims: Claims) -> None:
        """Raise `session_revoked` for a token of a session that has ended, as far as is known."""
        if claims.session_id in self._until:
            raise Refusal("session_revoked", "The session has ended.")

    def look(self) -> None:
        """Know what Postgres knows now; raises what Django raises for one that does not answer."""
        with self._looking:
            # What an answer says was so when it was asked for: the process may stand still since.
            begun = time.monotonic()
            with time_limit(LOOK_SECONDS):
                news = ended_since(self._number)
            if news.number < self._number:
                # The database is another one, or went back to a back-up.
                self._until.clear()
                news = ended_since(_NOTHING)
            self._learn(news)
            self._known_at = begun
        if news.sessions:
            self.told()

    def look_if_stale(self) -> None:
        """The same where what is known is old."""
        if not self.is_fresh:
            self.look()

    def _learn(self, news: News) -> None:
        for ended in news.sessions:
            self._keep(ended)
            # He may have been deactivated: ask Postgres when he comes next.
            forget_caller(ended.user_id)
        self._number = news.number
        if time.monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at, now = time.monotonic(), time.time()
            self._until = {sid: until for sid, until in self._until.items() if until > now}

    def _keep(self, ended: Ended) -> None:
        self._until[ended.session_id] = ended.until.timestamp() + KEPT_SECONDS


@cache
def ended_sessions() -> EndedSessions:
    """What this process knows."""
    return EndedSessions()
