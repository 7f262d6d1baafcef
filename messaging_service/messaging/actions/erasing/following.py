"""A thread of every process that takes away what is left of people who were erased."""

import logging
import os
import threading
from typing import Final

from django.db import connection

from messaging.actions.erasing.working import go_on

PAUSE_SECONDS: Final = 15.0

logger: Final = logging.getLogger(__name__)
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
