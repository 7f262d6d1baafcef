"""Everything as it is when all is over: over HTTP as people see it, over SQL as it is."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx

from e2e.chaos.clients.script import AWAY, digest, seen

if TYPE_CHECKING:
    from e2e.chaos.clients.script import Account, Frame
    from e2e.chaos.crowd import Crowd
    from local.stack import Stack

_MESSAGES = """
SELECT room_id AS room, id, seq, pos, created_pos, client_id, sender_id AS about, content,
       deleted_at IS NOT NULL AS is_deleted,
       to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp
FROM messages WHERE room_id = ANY(%s)
"""
_ROOMS = "SELECT id AS room, seq, pos FROM rooms WHERE id = ANY(%s)"
_MEMBERS = """
SELECT room_id AS room, user_id AS about, visible_from_seq AS seq, joined_pos AS created_pos,
       user_pos AS pos, coalesce(left_pos, 0) AS left_pos, last_read_seq
FROM members WHERE room_id = ANY(%s)
"""


def read_everything(crowd: Crowd, stack: Stack) -> None:
    """Write it down in the crowd's script."""
    _over_sql(crowd, stack)
    with httpx.Client(base_url=stack.address, timeout=20) as http:
        for room, (one, _) in crowd.rooms.items():
            _history(crowd, http, room, one.bearer)
        for person in crowd.people:
            _unread(crowd, http, person)


def read_presence(crowd: Crowd, stack: Stack) -> None:
    """Write down who is shown to be there; while they are."""
    with httpx.Client(base_url=stack.address, timeout=20) as http:
        for person in crowd.people:
            _presence(crowd, http, person)


def _over_sql(crowd: Crowd, stack: Stack) -> None:
    script = crowd.script
    with closing(stack.postgres.connect("messaging")) as link, link.cursor() as cursor:

        def rows(query: str) -> list[dict[str, Any]]:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute(query, [[*crowd.rooms]])
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        for row in rows(_MESSAGES):
            hashed = {"digest": digest(row.pop("content")), "user": row["about"]}
            script.note("end", "final", event="message", via="sql", **row, **hashed)
        for row in rows(_ROOMS):
            script.note("end", "final", event="room", via="sql", **row)
        for row in rows(_MEMBERS):
            mark = {"room": row["room"], "about": row["about"], "seq": row.pop("last_read_seq")}
            script.note("end", "final", event="member", via="sql", **row)
            script.note("end", "final", event="marker", via="sql", **mark)


def _history(crowd: Crowd, http: httpx.Client, room: int, bearer: dict[str, str]) -> None:
    after: int | None = 0
    while after is not None:
        asked = {"after": after, "limit": 100}
        page = _get(http, f"/api/chat/rooms/{room}/messages/", params=asked, headers=bearer)
        for message in page["results"]:
            row = seen(message) | {"user": message["sender_id"]}
            crowd.script.note("end", "final", event="message", via="http", **row)
        after = page["results"][-1]["seq"] if page["next"] else None


def _unread(crowd: Crowd, http: httpx.Client, person: Account) -> None:
    told = _get(http, "/api/chat/unread/", headers=person.bearer)
    counted = {room["room"]: room["unread_count"] for room in told["rooms"]}
    for room in crowd.rooms_of(person):
        said = {"room": room, "about": person.user_id, "seq": counted.get(room, 0)}
        crowd.script.note("end", "unread", **said)


def _presence(crowd: Crowd, http: httpx.Client, person: Account) -> None:
    shown = _get(http, "/api/chat/presence/?page_size=100", headers=person.bearer)["results"]
    for other in shown:
        said = {"user": person.user_id, "about": other["user_id"], "status": other["status"]}
        crowd.script.note("end", "final", event="presence", via="http", **said)


def _get(http: httpx.Client, url: str, **more: Any) -> Frame:
    while (answer := http.get(url, **more)).status_code in AWAY:
        time.sleep(0.2)
    answer.raise_for_status()
    return dict(answer.json())
