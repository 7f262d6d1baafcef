"""Sends mails beside the requests, on a thread of each process that serves them.

Once a second, and never at once: how long another request takes then tells nobody whether the one
before had a mail to send.
"""

import logging
from threading import Event, Thread
from typing import Final

from django.db import connection
from prometheus_client import Gauge

from accounts.actions.sending import send_next_mail
from accounts.queries import waiting_mails
from service_kit.metrics import show_age

ROUND_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 10.0

logger: Final = logging.getLogger(__name__)

# The same in every process.
_waiting: Final = Gauge("parley_mails_waiting", "Mails that are still to be sent.")
_oldest: Final = Gauge("parley_mails_oldest_seconds", "Since the oldest of them was written.")


def start_postman() -> None:
    """Send mails until the process ends; what it was just sending, another sends again."""
    Thread(target=_work, name="postman", daemon=True).start()


def _work() -> None:
    never = Event()
    while True:
        never.wait(ROUND_SECONDS if _send_all() else PAUSE_SECONDS)


def _send_all() -> bool:
    """Say whether the mail server, and the database, did what they are there for."""
    try:
        _show_waiting()
        while send_next_mail():
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the next mail is another
        logger.warning("no mail can be sent: %s", type(error).__name__)
        connection.close()
        return False
    return True


def _show_waiting() -> None:
    number, oldest = waiting_mails()
    _waiting.set(number)
    show_age(_oldest, oldest)
