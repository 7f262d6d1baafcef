"""Tells the hubs of every process, through Redis: a doorbell that may lose a ring.

A hub of this very process need not wait for it: it hears durable events at once, and knows their
echo by its position. Publishing happens on a thread of its own, after COMMIT and after the acks. It
never raises, never waits longer than Redis' time-out, and drops rather than piles up: what it
drops, the hubs' audit finds in Postgres.
"""

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import index
from time import monotonic, time
from typing import Any, Final, NamedTuple

import hiredis
import orjson
from prometheus_client import Counter, Gauge

from messaging.events import Event
from service_kit.redis_client import connect

logger: Final = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 0.2
PAUSE_SECONDS: Final = 1.0
MOST_WAITING: Final = 10_000
LARGEST_PIPELINE: Final = 500
DRAIN_SECONDS: Final = 2.0

_dropped: Final = Counter(
    "parley_publisher_dropped_total", "Events that were not told to Redis; the audit finds them."
)
_resting: Final = Gauge(
    "parley_publisher_rests", "1 while the publisher leaves a failing Redis alone."
)


class Envelope(NamedTuple):
    """An event on its way between processes: what the hub must know, and the finished text.

    `subject`, `rooms` (pairs) and `hidden_from` are as in Event. `at` is when it was published, in
    seconds since 1970 by the publisher's clock.
    """

    pos: int
    kind: str
    seq: int
    author_id: str
    subject: tuple[str, int]
    rooms: Sequence[tuple[int, int]]
    hidden_from: Sequence[str]
    at: float
    text: bytes


Hear = Callable[[Sequence[tuple[str, Envelope]]], None]
"""What takes events, each with its channel."""


def envelope_of(event: Event) -> Envelope:
    """The event as it is told now."""
    return Envelope(
        event.pos,
        event.kind,
        event.seq,
        event.author_id,
        event.subject,
        event.rooms,
        event.hidden_from,
        time(),
        event.text,
    )


def seal(event: Event) -> bytes:
    """A header line, then the text: JSON text never holds a raw line feed."""
    *head, text = envelope_of(event)
    return orjson.dumps(head) + b"\n" + text


def unseal(data: bytes) -> Envelope:
    """Raises ValueError or TypeError for what is no event."""
    head, _, text = data.partition(b"\n")
    pos, kind, seq, author_id, (subject_id, number), rooms, hidden, at = orjson.loads(head)
    subject = (str(subject_id), index(number))
    pairs = [(index(room_id), index(as_of)) for room_id, as_of in rooms]
    hidden_from = [str(user_id) for user_id in hidden]
    return Envelope(
        index(pos), kind, index(seq), author_id, subject, pairs, hidden_from, float(at), text
    )


def _tell(connection: Any, events: Sequence[Event]) -> None:  # noqa: ANN401 - untyped.
    """Publish with one write: redis-py's pipeline makes one of every 6,000 bytes."""
    commands = [
        hiredis.pack_command(("PUBLISH", event.channel, seal(event)))  # type: ignore[arg-type]
        for event in events
    ]
    connection.connect()
    connection.send_packed_command([b"".join(commands)], check_health=False)
    for _ in events:
        connection.read_response()


class Publisher:
    """A bounded queue, a thread, and a breaker that leaves a failing Redis alone for a second."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Event] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._closed_until = 0.0
        self.nearby: Hear | None = None
        self.dropped = 0
        _resting.set_function(lambda: float(monotonic() < self._closed_until))

    def publish(self, events: Sequence[Event]) -> None:
        """Let who is nearby hear what is durable, and queue all to be told; drops what is too much.

        Nothing but its position tells an event from its echo, and a passing one has none.
        """
        if self.nearby is not None:
            self.nearby([(event.channel, envelope_of(event)) for event in events if event.pos])
        with self._changed:
            room = MOST_WAITING - len(self._waiting)
            self._waiting.extend(events[:room])
            self._drop(max(0, len(events) - room))
            self._ensure_thread()
            self._changed.notify()

    def stop(self) -> None:
        """Tell what is waiting, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(DRAIN_SECONDS)

    def _ensure_thread(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="publisher", daemon=True)
            thread.start()
            self._thread = thread
            atexit.register(self.stop)

    def _run(self) -> None:
        connection: Any = connect(timeout=TIMEOUT_SECONDS).connection_pool.make_connection()
        while events := self._take():
            if monotonic() < self._closed_until:
                self._drop(len(events))
                continue
            try:
                _tell(connection, events)
            except Exception as error:  # noqa: BLE001 - nothing may end this thread.
                connection.disconnect()
                self._closed_until = monotonic() + PAUSE_SECONDS
                self._drop(len(events))
                # Not the error's text: Redis may quote the command, and so what somebody wrote.
                logger.warning("%d events were not told: %s", len(events), type(error).__name__)
        connection.disconnect()

    def _drop(self, number: int) -> None:
        self.dropped += number
        _dropped.inc(number)

    def _take(self) -> list[Event]:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            return [
                self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_PIPELINE))
            ]


@cache
def publisher() -> Publisher:
    """This process's publisher."""
    return Publisher()


# A child has none of its parent's threads.
os.register_at_fork(after_in_child=publisher.cache_clear)


def publish(events: Iterable[Event]) -> None:
    """Tell everybody who may know, soon; call it only after COMMIT."""
    if events := list(events):
        publisher().publish(events)
