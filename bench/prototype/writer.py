"""One thread that commits all that waits as one transaction, with nothing else in it."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import psycopg2

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BATCH = 256

SCHEMA = """
CREATE TABLE rooms (id bigint PRIMARY KEY, seq bigint NOT NULL DEFAULT 0);
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room_id bigint NOT NULL,
    seq bigint NOT NULL, sender text NOT NULL, client_id text NOT NULL, content text NOT NULL,
    timestamp timestamptz NOT NULL DEFAULT clock_timestamp(), UNIQUE (room_id, seq));
"""
_OPTIONS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off"
)
_PREPARE = """
PREPARE lock(bigint[]) AS
SELECT id, seq FROM rooms WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE;
PREPARE write(json, json) AS
WITH counted AS (
    UPDATE rooms SET seq = r.seq FROM json_to_recordset($1) AS r(id bigint, seq bigint)
    WHERE rooms.id = r.id)
INSERT INTO messages (room_id, seq, sender, client_id, content)
SELECT room, seq, sender, client_id, content
FROM json_to_recordset($2) AS n(
    room bigint, seq bigint, sender text, client_id text, content text)
RETURNING room_id, seq, id, timestamp;
"""


class Send(NamedTuple):
    """One message on its way, and the socket that waits for its ack."""

    room: int
    content: dict[str, Any]
    socket: Any


Stored = tuple[Send, dict[str, Any]]


class Writer(threading.Thread):
    """Gives each committed batch to `stored`, on this thread."""

    def __init__(self, stored: Callable[[list[Stored]], None]) -> None:
        super().__init__(daemon=True)
        self._stored = stored
        self._changed = threading.Condition()
        self._pending: deque[Send] = deque()

    def submit(self, send: Send) -> None:
        with self._changed:
            self._pending.append(send)
            self._changed.notify()

    def run(self) -> None:
        """Commit for ever."""
        connection = psycopg2.connect(os.environ["PROTOTYPE_DSN"], options=_OPTIONS)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(_PREPARE)
        while True:
            self._stored(_commit(cursor, self._take()))

    def _take(self) -> list[Send]:
        with self._changed:
            while not self._pending:
                self._changed.wait()
            return [self._pending.popleft() for _ in range(min(len(self._pending), LARGEST_BATCH))]


def _commit(cursor: Any, sends: list[Send]) -> list[Stored]:  # noqa: ANN401 - psycopg2's cursor
    ids = sorted({send.room for send in sends})
    cursor.execute("BEGIN; EXECUTE lock(%s::bigint[])", [ids])
    counters: dict[int, int] = dict(cursor.fetchall())
    stored = []
    for send in sends:
        counters[send.room] += 1
        body = {
            "room": send.room,
            "seq": counters[send.room],
            "sender": "somebody",
            "client_id": send.content["client_id"],
            "content": send.content["content"],
        }
        stored.append((send, body))
    raised = [{"id": id_, "seq": seq} for id_, seq in counters.items()]
    rows = [body for _, body in stored]
    cursor.execute("EXECUTE write(%s, %s)", [_text(raised), _text(rows)])
    made = {(room, seq): (id_, at) for room, seq, id_, at in cursor.fetchall()}
    cursor.execute("COMMIT")
    for body in rows:
        body["id"], body["timestamp"] = made[body["room"], body["seq"]]
    return stored


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
