"""How gunicorn ends a process of ours: `gunicorn --config python:service_kit.gunicorn`."""

import threading
from collections.abc import Callable
from typing import Protocol

from django.conf import settings

from service_kit.leaving import is_leaving, leave_before_ending

# From being asked to end: LEAVING_SECONDS, and what the last requests take.
graceful_timeout = 20


class _Request(Protocol):
    def force_close(self) -> None: ...


def post_worker_init(_worker: object) -> None:
    """Serve on for LEAVING_SECONDS when asked to end, until no gateway sends anything here."""
    leave_before_ending(_end_later)


def pre_request(_worker: object, request: _Request) -> None:
    """Give up a kept connection with its next answer: the gateway must not have it when we end."""
    if is_leaving():
        request.force_close()


def _end_later(end: Callable[[], None]) -> None:
    timer = threading.Timer(settings.LEAVING_SECONDS, end)
    timer.daemon = True
    timer.start()
