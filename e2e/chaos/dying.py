"""The ASGI application, ending itself without a word on a message's way, where DIE_AT says.

insert    it is written, and not committed
commit    it is committed, and not acknowledged
tell      it is acknowledged, and nobody has been told
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from importlib import import_module
from typing import Any, NoReturn

application = import_module("config.asgi").application
committer: Any = import_module("messaging.actions.writer.committer")
writer: Any = import_module("messaging.actions.writer.writer")

# What everybody has sent before it comes to its end.
BATCHES = 20
# So that what was acknowledged has been sent.
FLUSH_SECONDS = 0.2

counted = itertools.count(1)
store = committer.store


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


class Uncommitted:
    """A cursor that commits nothing."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, text: str, arguments: Any) -> None:
        written = text.removesuffix("; COMMIT")
        assert written != text
        self._cursor.execute(written, arguments)


def store_and_die(cursor: Any, plan: Any, sends: Any, rooms: Any) -> None:
    is_last = bool(plan.new) and next(counted) >= BATCHES
    if is_last and os.environ["DIE_AT"] == "insert":
        store(Uncommitted(cursor), plan, sends, rooms)
        die()
    store(cursor, plan, sends, rooms)
    if is_last and os.environ["DIE_AT"] == "commit":
        die()
    if is_last:
        writer.publish = tell_nobody


def tell_nobody(_: object) -> None:
    time.sleep(FLUSH_SECONDS)
    die()


committer.store = store_and_die
