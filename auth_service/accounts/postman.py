"""Sends mails beside the requests, on a thread of each process that serves them.

Once a second, and never at once: how long another request takes then tells nobody whether the one
before had a mail to send.
"""

import logging
from threading import Event, Thread
from typing import Final

from django.db import connection

from accounts.actions.sending import send_next_mail

ROUND_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 10.0

logger: Final = logging.getLogger(__name__)


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
        while send_next_mail():
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the next mail is another
        logger.warning("no mail can be sent: %s", type(error).__name__)
        connection.close()
        return False
    return True
