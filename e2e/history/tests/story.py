"""A correct history in which everything happens once that checkers look at.

Alice and Bob share rooms 1 and 2; Carol is let into room 1 and removed again. Each has a client
that listens, Dave reads over HTTP what he may, Erin comes and goes, Frank is logged out twice. A
socket breaks and comes back, a send is repeated, one is refused, one is edited, one deleted; Redis
is broken for a while, and room 2 held.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from e2e.history.history import LEFT, SECOND
from e2e.history.operations import Operation

ROOMS = (1, 2)
STEP = SECOND // 100
PEOPLE = ("alice", "bob")


class Story:
    """Rooms that keep their promises, and everything that is written down of them."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.at = SECOND
        self.rows: dict[int, Operation] = {}
        self.positions: dict[int, int] = defaultdict(int)
        self.lengths: dict[int, int] = defaultdict(int)
        self.marks: dict[tuple[int, str], int] = defaultdict(int)
        self.listeners: dict[str, tuple[str, set[int]]] = {}
        self.visible_from: dict[tuple[int, str], int] = {}
        self.links: dict[str, int] = defaultdict(int)
        self.user_positions: dict[str, int] = defaultdict(int)
        self.touched: dict[tuple[int, str], int] = defaultdict(int)

    def note(self, who: str, act: str, **fields: Any) -> Operation:
        self.at += STEP
        operation = Operation(at=self.at, who=who, act=act, **fields)
        self.operations.append(operation)
        return operation

    def found(self, room: int, *people: str) -> None:
        for person in people:
            self.note("setup", "found", user=person, room=room)

    def open(self, who: str, user: str, rooms: set[int]) -> None:
        """Connect, and catch up with these rooms from where this client was."""
        self.links[who] += 1
        said: dict[str, Any] = {"user": user, "link": self.links[who]}
        self.note(who, "open", **said)
        for kind in ("invoke", "ok"):
            self.note(who, "me.sync", kind=kind, pos=self.user_positions[user], **said)
        for room in rooms:
            known = self._known(who, room)
            self.sync(who, user, room, known)
        self.listeners[who] = user, rooms

    def sync(self, who: str, user: str, room: int, after: int) -> None:
        said: dict[str, Any] = {"user": user, "link": self.links[who], "room": room}
        self.note(who, "sync", kind="invoke", pos=after, **said)
        for row in sorted(self.rows.values(), key=lambda row: row.pos):
            if row.room == room and row.pos > after:
                self._hears(who, user, row, "resume")
        self.note(who, "sync", pos=self.positions[room], **said)

    def cut(self, who: str) -> None:
        user, _ = self.listeners.pop(who)
        self.note(who, "open", kind="info", user=user, link=self.links[who], error="1006")

    def send(self, user: str, room: int, client_id: str, *, lost: bool = False) -> Operation:
        """Send and be answered; or send, and be answered only to a second attempt."""
        asked = self.asks(user, room, client_id)
        self.positions[room] += 1
        self.lengths[room] += 1
        pos = self.positions[room]
        row = replace(
            asked,
            act="final",
            kind="ok",
            event="message",
            id=100 + len(self.rows),
            seq=self.lengths[room],
            pos=pos,
            created_pos=pos,
            digest=f"of {client_id}",
            about=user,
        )
        row = replace(row, timestamp=f"{self.at:020}")
        self.rows[row.id] = row
        self._tell(row, "message")
        if lost:
            self.note(f"{user}-1", "send", kind="info", **_said(asked), error="1006")
            self.asks(user, room, client_id)
        self.answers(row, duplicate=lost)
        return row

    def asks(self, user: str, room: int, client_id: str) -> Operation:
        who = f"{user}-1"
        said = {"user": user, "room": room, "client_id": client_id, "via": "socket"}
        return self.note(who, "send", kind="invoke", link=self.links[who], **said)

    def answers(self, row: Operation, *, duplicate: bool = False) -> None:
        said = replace(row, act="send", event="", duplicate=duplicate, at=self.at + STEP)
        self.at += STEP
        self.operations.append(said)

    def changes(self, act: str, row: Operation, **to: Any) -> None:
        row = self.rows[row.id]
        said = {"user": row.user, "room": row.room, "id": row.id}
        self.note(row.who, act, kind="invoke", **said)
        self.positions[row.room] += 1
        changed = replace(row, pos=self.positions[row.room], **to)
        self.rows[row.id] = changed
        self._tell(changed, "message.updated")
        self.operations.append(replace(changed, act=act, event="", at=self.at))

    def turns(self, act: str, room: int, about: str) -> None:
        self.note("steward", act, kind="invoke", room=room, about=about)
        self.positions[room] += 1
        fields = {"room": room, "about": about, "pos": self.positions[room]}
        event = {"join": "member.joined", "leave": "member.left"}[act]
        for who, (user, rooms) in self.listeners.items():
            if room in rooms:
                said = {"user": user, "link": self.links[who], "event": event, "via": "live"}
                self.note(who, "hear", **said, **fields)
        seq = self.visible_from[room, about] = self.lengths[room] + 1
        self.note("steward", act, **fields, seq=seq if act == "join" else 0)

    def marks_read(self, user: str, room: int, seq: int) -> None:
        said = {"user": user, "room": room, "seq": seq}
        self.note(f"{user}-1", "mark", kind="invoke", **said)
        self.marks[room, user] = max(self.marks[room, user], seq)
        self._tell_devices(user, room)
        self.note(f"{user}-1", "mark", **(said | {"seq": self.marks[room, user]}))

    def leaves(self, who: str, user: str) -> None:
        """Go with a word, and long enough for it to be told."""
        self.links[who] += 1
        said: dict[str, Any] = {"user": user, "link": self.links[who]}
        self.note(who, "open", **said)
        self.note(who, "open", kind="info", error=LEFT, **said)
        self.at += 2 * SECOND
        for other, (whose, _) in self.listeners.items():
            told: dict[str, Any] = {"about": user, "status": "offline"}
            self.note(other, "presence", user=whose, **told)
        self.at += 5 * SECOND

    def is_logged_out(self, who: str, user: str) -> None:
        """Log in, listen, be logged out, and be refused until the next time."""
        for _ in range(2):
            self.links[who] += 1
            said: dict[str, Any] = {"user": user, "link": self.links[who]}
            for act in ("begin", "open"):
                self.note(who, act, **said)
            self.note(who, "end", event="log_out", **said)
            for act in ("admitted", "barred"):
                self.note(who, act, **said)
            self.note(who, "open", kind="info", error="4401", **said)
            self.at += 3 * SECOND
        self.note(who, "begin", user=user)
        self.links[who] += 1
        self.note(who, "open", user=user, link=self.links[who])

    def reads(self, who: str, user: str, room: int) -> None:
        self.note(who, "read", kind="invoke", user=user, room=room)
        for row in self.rows.values():
            if row.room == room:
                self._hears(who, user, row, "history", link=0)
        self.note(who, "read", user=user, room=room, pos=self.positions[room])

    def ends(self) -> None:
        """Look at everything, over SQL and HTTP."""
        for via in ("sql", "http"):
            self.operations += [replace(row, via=via, at=self.at) for row in self.rows.values()]
        for room in ROOMS:
            end = {"room": room, "seq": self.lengths[room], "pos": self.positions[room]}
            self.note("end", "final", event="room", via="sql", **end)
            for user in PEOPLE:
                self._shows_member(room, user)

    def _shows_member(self, room: int, user: str) -> None:
        said = {"room": room, "about": user}
        mark = self.marks[room, user]
        touched = {"pos": self.touched[room, user]}
        self.note("end", "final", event="member", via="sql", seq=1, **said, **touched)
        self.note("end", "final", event="marker", via="sql", seq=mark, **said)
        count = sum(
            row.room == room and row.seq > mark and row.user != user and not row.is_deleted
            for row in self.rows.values()
        )
        self.note("end", "unread", seq=count, **said)

    def shows_presence(self, viewer: str, **statuses: str) -> None:
        for about, status in statuses.items():
            said = {"user": viewer, "about": about, "status": status}
            self.note("end", "final", event="presence", via="http", **said)

    def _tell_devices(self, user: str, room: int) -> None:
        self.user_positions[user] += 1
        pos = self.touched[room, user] = self.user_positions[user]
        for who, (whose, _) in self.listeners.items():
            if whose == user:
                said: dict[str, Any] = {"user": user, "link": self.links[who], "room": room}
                seq = self.marks[room, user]
                self.note(who, "me", event="me.changed", via="live", pos=pos, seq=seq, **said)

    def _tell(self, row: Operation, event: str) -> None:
        for who, (user, rooms) in self.listeners.items():
            if row.room in rooms and row.seq >= self.visible_from.get((row.room, user), 0):
                self._hears(who, user, row, "live", event=event)

    def _hears(self, who: str, user: str, row: Operation, via: str, **more: Any) -> None:
        self.at += STEP
        said: dict[str, Any] = {"who": who, "user": user, "link": self.links[who], "via": via}
        heard = replace(row, act="hear", event="message", timestamp="", at=self.at)
        self.operations.append(replace(heard, **(said | more)))

    def _known(self, who: str, room: int) -> int:
        heard = [
            each.pos
            for each in self.operations
            if each.act in {"hear", "sync"} and (each.who, each.room) == (who, room)
        ]
        return max(heard, default=self.positions[room])


def _said(asked: Operation) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("user", "room", "client_id", "via", "link")}


def correct() -> list[Operation]:
    """The story as it should be."""
    story = Story()
    for room in ROOMS:
        story.found(room, *PEOPLE)
    for user in PEOPLE:
        story.open(f"{user}-1", user, {1, 2})
    story.open("alice-2", "alice", {1, 2})
    for part in ("redis", "sockets-1"):
        story.note(part, "usage", event="kilobytes", via="before", seq=100_000)
    for number in range(5):
        for room in ROOMS:
            for user in PEOPLE:
                story.send(user, room, f"before-{room}-{user}-{number}")
    story.found(1, "erin")
    story.leaves("erin-1", "erin")
    first, second = (row for row in story.rows.values() if row.seq in {1, 2} and row.room == 1)
    story.changes("edit", first, digest="another")
    story.is_logged_out("frank-1", "frank")
    story.note("fault", "phase", event="inject")
    story.note("somebody", "phase", event="hold", room=2)
    story.turns("join", 1, "carol")
    story.listeners["carol-1"] = "carol", set()
    story.open("carol-1", "carol", {1})
    story.send("alice", 1, "carol hears this")
    story.cut("alice-2")
    story.send("bob", 1, "told twice", lost=True)
    story.changes("delete", second, digest="", is_deleted=True)
    story.turns("leave", 1, "carol")
    story.listeners.pop("carol-1")
    story.send("alice", 1, "carol hears no more")
    refused = story.asks("alice", 2, "refused first")
    story.note("alice-1", "send", kind="fail", **_said(refused), error="unavailable")
    story.note("fault", "phase", event="heal")
    story.send("alice", 2, "refused first")
    story.open("alice-2", "alice", {1, 2})
    story.marks_read("alice", 1, 4)
    story.marks_read("alice", 1, 3)
    story.marks_read("alice", 1, 5)
    story.reads("poller", "bob", 1)
    story.send("bob", 2, "last")
    story.note("end", "phase", event="quiet")
    for part in ("redis", "sockets-1"):
        story.note(part, "usage", event="kilobytes", via="after", seq=105_000)
    story.ends()
    story.at += 6 * SECOND
    story.shows_presence("alice", bob="online", erin="offline")
    return story.operations
