"""A thread of every process that hears auth_service and looks what has ended."""

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import Error, connection
from prometheus_client import Gauge

from messaging.actions.sessions.bell import Bell
from messaging.actions.sessions.ended import KEPT_SECONDS, LOOK_SECONDS, ended_sessions
from messaging.actions.sessions.pulling import forget_ended, pull

logger: Final = logging.getLogger(__name__)

PULL_SECONDS: Final = 5.0
# However often it rings.
SHORTEST_PAUSE_SECONDS: Final = 0.1
FORGET_SECONDS: Final = 60.0

_age: Final = Gauge(
    "parley_auth_events_age_seconds", "Since this process last heard all auth_service had to tell."
)


class Follower:
    """Looks every second and pulls every five, or at once when Redis rings; it never ends."""

    def __init__(self) -> None:
        self._bell = Bell()
        self._pulled_at = time.monotonic()
        self._began = self._next_pull = self._next_forgetting = 0.0
        self._failing: set[str] = set()
        _age.set_function(lambda: time.monotonic() - self._pulled_at)

    def run(self) -> None:
        while True:
            rings = self._bell.wait(LOOK_SECONDS)
            self._try("What auth_service tells is not stored", self._look)
            if rings or time.monotonic() >= self._next_pull:
                self._try("auth_service cannot be heard", self._pull)
            if time.monotonic() >= self._next_forgetting:
                self._next_forgetting = time.monotonic() + FORGET_SECONDS
                self._try("What is over cannot be forgotten", self._forget)

    def _look(self) -> None:
        ended_sessions().look()

    def _pull(self) -> None:
        jitter = random.uniform(0.8, 1.0)  # noqa: S311 - not a secret.
        time.sleep(max(0.0, self._began + SHORTEST_PAUSE_SECONDS - time.monotonic()))
        self._began = time.monotonic()
        self._next_pull = self._began + PULL_SECONDS * jitter
        try:
            pull()
            self._pulled_at = time.monotonic()
        finally:
            # Some of it may have been applied, by this process or another.
            ended_sessions().look()

    def _forget(self) -> None:
        forget_ended(seconds=KEPT_SECONDS)

    def _try(self, what: str, work: Callable[[], None]) -> None:
        """Nothing may end this thread; that something fails is said once."""
        try:
            work()
            self._failing.discard(what)
        except Exception as error:  # noqa: BLE001 - see above.
            if isinstance(error, Error):
                # It may be the connection to Postgres that failed: the next call gets a new one.
                connection.close()
            if what not in self._failing:
                logger.warning("%s: %s", what, type(error).__name__)
            self._failing.add(what)


def follow() -> None:
    """Know what has ended before anything is served, and follow what ends from here on.

    Raises what Django raises where Postgres does not answer.
    """
    ended_sessions().look()
    _start()
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_start)


def _start() -> None:
    threading.Thread(target=Follower().run, name="auth-events", daemon=True).start()
