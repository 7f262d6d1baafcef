"""Numbers the messages of a room by a SEQUENCE, and locks nothing."""

from __future__ import annotations

import random
import time
from importlib import import_module
from typing import Any

application = import_module("config.asgi").application
committer: Any = import_module("messaging.actions.writer.committer")
connection: Any = import_module("messaging.actions.writer.connection")
SLOWEST_SECONDS = 0.03

lock_and_look, store = committer.lock_and_look, committer.store


def look(cursor: Any, sends: Any, *, wait: bool) -> Any:
    """Give each room the number before those that its sends will get."""
    rooms, found = lock_and_look(cursor, sends, wait=wait)
    for id_, room in rooms.items():
        wanted = sum(send.room_id == id_ for send in sends)
        name = f"sabotage_{id_}"
        cursor.execute(f"CREATE SEQUENCE IF NOT EXISTS {name}")
        cursor.execute("SELECT min(nextval(%s)) FROM generate_series(1, %s)", [name, wanted])
        room.seq = room.pos = cursor.fetchone()[0] - 1
    return rooms, found


def store_slowly(cursor: Any, plan: Any, sends: Any, rooms: Any) -> None:
    """Let whoever was numbered later be committed earlier, now and then."""
    time.sleep(random.uniform(0, SLOWEST_SECONDS))  # noqa: S311 - no secret.
    store(cursor, plan, sends, rooms)


connection._PREPARE = connection._PREPARE.replace(  # noqa: SLF001 - that is what sabotage is.
    "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED", "ORDER BY id"
).replace("ORDER BY id FOR NO KEY UPDATE ", "ORDER BY id ")
committer.lock_and_look, committer.store = look, store_slowly
