"""Natural batching: what waits is committed together, and only then is looked for more.

There is no timer. At low load a batch is one message and costs nothing extra; under load one fsync
serves hundreds. A room that somebody else holds keeps its queue in order and is waited for on
another thread, so that it never stalls the others.
"""

import atexit
import logging
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import monotonic
from typing import Final

from messaging.actions.writer.committer import Batch, Committer
from messaging.actions.writer.counting import count_batch, count_outcomes
from messaging.actions.writer.sends import Outcome, Send, Sent
from messaging.broadcast import publish
from messaging.errors import OutcomeUnknown, RateLimited, Unavailable
from messaging.events import message_sent
from messaging.permissions.limits import message_limit

logger: Final = logging.getLogger(__name__)

LARGEST_BATCH: Final = 256
MOST_WAITING: Final = 10_000
# A batch then still has its own time limits, and five seconds is the promise.
LONGEST_WAIT_SECONDS: Final = 3.0
WAITING_THREADS: Final = 4
DRAIN_SECONDS: Final = 5.0


class Writer:
    """Every send of this process goes through one of these; its thread starts with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: deque[Send] = deque()
        self._parked: dict[int, deque[Send]] = {}
        self._thread: threading.Thread | None = None
        self._waiting_threads: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._stopping = False

    def submit(self, send: Send) -> None:
        """Queue a send; its `settle` is called once, soon, from this thread or another."""
        if wait := message_limit().known_wait(send.sender_id):
            # Who goes on and on costs nobody anything.
            _settle(send, refusal := RateLimited(wait))
            count_outcomes([refusal])
            return
        with self._changed:
            waiting = len(self._pending) + sum(map(len, self._parked.values()))
            accepted = not self._stopping and waiting < MOST_WAITING
            if accepted:
                self._pending.append(send)
                self._ensure_thread()
                self._changed.notify()
        if not accepted:
            send.settle(Unavailable("Too much is waiting to be stored."))

    def stop(self) -> None:
        """Store what is waiting, and accept nothing more."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread, pool = self._thread, self._waiting_threads
        if thread is not None:
            thread.join(DRAIN_SECONDS)
        if pool is not None:
            pool.shutdown()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._waiting_threads = ThreadPoolExecutor(WAITING_THREADS, "writer-waiting")
            thread = threading.Thread(target=self._run, name="writer", daemon=True)
            thread.start()
            self._thread = thread
            atexit.register(self.stop)

    def _run(self) -> None:
        while batch := self._take():
            for room_id in self._finish(self._commit(batch, wait=False)):
                self._wait_for(room_id)

    def _take(self) -> list[Send]:
        """The next batch in order of arrival, without parked rooms; empty when told to stop."""
        with self._changed:
            while True:
                self._refuse_overdue()
                batch: list[Send] = []
                while self._pending and len(batch) < LARGEST_BATCH:
                    send = self._pending.popleft()
                    self._parked.get(send.room_id, batch).append(send)
                if batch or (self._stopping and not self._pending):
                    return batch
                self._changed.wait(timeout=0.5 if self._parked else None)

    def _refuse_overdue(self) -> None:
        since = monotonic() - LONGEST_WAIT_SECONDS
        for queue in (self._pending, *self._parked.values()):
            while queue and queue[0].since < since:
                _settle(queue.popleft(), Unavailable("It waited too long. Please try again."))

    def _commit(self, sends: list[Send], *, wait: bool) -> Batch:
        """Never raises: a bug must not end the thread that everybody's messages need."""
        if not hasattr(self._local, "committer"):
            self._local.committer = Committer()
        count_batch(len(sends))
        try:
            batch: Batch = self._local.committer.commit(sends, wait=wait)
        except Exception:
            logger.exception("A batch of %d sends failed.", len(sends))
            self._local.committer.close()
            return Batch(outcomes=[(send, OutcomeUnknown()) for send in sends], held=[])
        return batch

    def _finish(self, batch: Batch) -> list[int]:
        """Acknowledge first, then tell the hubs; returns the rooms that are parked from now on."""
        for send, outcome in batch.outcomes:
            _settle(send, outcome)
        _tell(batch)
        count_outcomes(outcome for _, outcome in batch.outcomes)
        with self._changed:
            for send in reversed(batch.held):
                self._parked.setdefault(send.room_id, deque()).appendleft(send)
        return list(dict.fromkeys(send.room_id for send in batch.held))

    def _wait_for(self, room_id: int) -> None:
        assert self._waiting_threads is not None
        try:
            self._waiting_threads.submit(self._commit_parked, room_id)
        except RuntimeError:  # The process is ending: its pools take nothing more.
            self._commit_parked(room_id)

    def _commit_parked(self, room_id: int) -> None:
        """Commit a parked queue until it is empty; while the room is held, others have a turn."""
        while sends := self._take_parked(room_id):
            if self._finish(self._commit(sends, wait=True)):
                self._wait_for(room_id)
                return

    def _take_parked(self, room_id: int) -> list[Send]:
        with self._changed:
            self._refuse_overdue()
            queue = self._parked[room_id]
            sends = [queue.popleft() for _ in range(min(len(queue), LARGEST_BATCH))]
            if not sends:
                del self._parked[room_id]
            return sends


def _tell(batch: Batch) -> None:
    new = [
        message_sent(outcome.row, outcome.text)
        for _, outcome in batch.outcomes
        if isinstance(outcome, Sent) and not outcome.duplicate
    ]
    try:
        publish(new)
    except Exception:
        logger.exception("%d messages could not be told; the audit will.", len(new))


def _settle(send: Send, outcome: Outcome) -> None:
    try:
        send.settle(outcome)
    except Exception:
        logger.exception("An outcome could not be told.")


@cache
def writer() -> Writer:
    """This process's writer."""
    return Writer()


# A child has none of its parent's threads.
os.register_at_fork(after_in_child=writer.cache_clear)
