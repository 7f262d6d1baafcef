"""A thread of every process that takes away what is left of people who were erased."""

import logging
import os
import threading
from typing import Final

from django.db import connection
from prometheus_client import Gauge

from messaging.actions.erasing.working import go_on, open_erasures
from service_kit.metrics import show_age

PAUSE_SECONDS: Final = 15.0

logger: Final = logging.getLogger(__name__)
# The same in every process.
_open: Final = Gauge("parley_erasures_open", "People of whom something may be left.")
_oldest: Final = Gauge("parley_erasures_oldest_seconds", "Since the first of them was erased.")
_begun: Final = threading.Event()


def wake() -> None:
    """Have this process look now."""
    _begun.set()


class Eraser:
    """Looks now and then, or when it is woken, and goes on while there is something.

    Between it keeps no connection: erasing is seldom.
    """

    def __init__(self) -> None:
        self._is_failing = False

    def run(self) -> None:
        while True:
            while self.try_once():
                pass
            connection.close()
            _begun.wait(PAUSE_SECONDS)
            _begun.clear()

    def try_once(self) -> bool:
        """Nothing may end this thread; that something fails is said once."""
        try:
            _show_open()
            is_more = go_on()
        except Exception as error:  # noqa: BLE001 - see above.
            if not self._is_failing:
                logger.warning("somebody cannot be erased now: %s", type(error).__name__)
            self._is_failing = True
            return False
        self._is_failing = False
        return is_more


def follow_erasures() -> None:
    """Go on with what is due from here on."""
    _start()
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_start)


def _start() -> None:
    threading.Thread(target=Eraser().run, name="erasures", daemon=True).start()


def _show_open() -> None:
    number, oldest = open_erasures()
    _open.set(number)
    show_age(_oldest, oldest)
