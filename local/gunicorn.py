"""What gunicorn does here besides: a worker ends with its master, even if that was killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Protocol

from service_kit.gunicorn import graceful_timeout, post_worker_init, pre_request

__all__ = ["graceful_timeout", "post_fork", "post_worker_init", "pre_request"]

PR_SET_PDEATHSIG = 1


class Worker(Protocol):
    ppid: int


def post_fork(_server: object, worker: Worker) -> None:
    """Tie a new worker to its master. Left to itself it would look once a second, if it is idle."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The master may have died before the line above: then nobody would tell us.
    if os.getppid() != worker.ppid:
        os._exit(1)
