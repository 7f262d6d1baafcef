"""What is derived from messages is what a fold of the history gives."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History
    from e2e.history.operations import Operation

    Model = dict[int, Operation]


def markers(history: History) -> Iterator[Finding]:
    """A marker only moves forward, and is kept."""
    reached: dict[tuple[int, str], int] = defaultdict(int)
    asked: dict[tuple[int, str, str], int] = {}
    for each in history.of("mark"):
        key = each.room, each.user
        if each.kind == "invoke":
            asked[*key, each.who] = reached[key]
        elif each.kind == "ok":
            if each.seq < asked.get((*key, each.who), 0):
                told = f"{each.user}'s marker of room {each.room} is {each.seq}"
                yield Finding("markers", f"{told}, and was {asked[*key, each.who]}")
            reached[key] = max(reached[key], each.seq)
    for each in history.final("marker"):
        if each.seq < reached[each.room, each.about]:
            told = f"{each.about}'s marker of room {each.room} is {each.seq} at the end"
            yield Finding("markers", f"{told}, and was {reached[each.room, each.about]}")


def unread(history: History) -> Iterator[Finding]:
    """What is unread is what others sent after one's marker, and did not delete."""
    marks = {(each.room, each.about): each.seq for each in history.final("marker")}
    for each in history.of("unread"):
        window = history.windows[each.room, each.about][-1]
        after = max(marks[each.room, each.about], window.seq - 1)
        count = sum(
            row.seq > after and row.about != each.about and not row.is_deleted
            for row in history.messages_of_rooms[each.room]
        )
        if count != each.seq:
            told = f"{each.seq} unread in room {each.room}, there are {count}"
            yield Finding("unread", f"{each.about} is told {told}")


def fold(history: History) -> Iterator[Finding]:
    """What a client holds by its events alone is what a fresh look shows."""
    for (who, room), model in _models(history).items():
        windows = history.windows.get((room, history.listeners[who]), [])
        if not windows or windows[-1].left is not None:
            if model:
                yield Finding("fold", f"{who} still holds room {room}")
            continue
        for held in model.values():
            row = history.messages.get(held.id)
            if row and _version(row) != _version(held):
                told = f"message {held.id} at pos {held.pos}"
                yield Finding("fold", f"{who} holds {told}, it is at {row.pos}")


def _version(each: Operation) -> tuple[int, int, str, bool]:
    return each.seq, each.pos, each.digest, each.is_deleted


def _models(history: History) -> dict[tuple[str, int], Model]:
    """What each client holds of each room, as the reference client would."""
    models: dict[tuple[str, int], Model] = defaultdict(dict)
    for each in history.operations:
        model = models[each.who, each.room] if each.who in history.listeners else {}
        if _drops_the_room(each):
            model.clear()
        elif each.act == "hear" and each.id and model.get(each.id, each).pos <= each.pos:
            model[each.id] = each
    return models


def _drops_the_room(each: Operation) -> bool:
    if each.act == "sync":
        return each.kind == "fail" or (each.kind == "ok" and not each.complete)
    return each.act == "hear" and each.event == "member.left" and each.about == each.user


def snapshots(history: History) -> Iterator[Finding]:
    """What is read at a position is each message as its last event up to there told it."""
    versions: dict[int, list[int]] = defaultdict(list)
    for each in history.of("hear"):
        if each.id and each.via in {"live", "resume"}:
            versions[each.id].append(each.pos)
    latest = {id_: sorted(set(positions)) for id_, positions in versions.items()}
    for read, rows in _reads(history):
        for row in rows:
            newer = [pos for pos in latest.get(row.id, ()) if row.pos < pos <= read.pos]
            if newer or row.pos > read.pos:
                told = f"message {row.id} at pos {row.pos}, its last is {newer or read.pos}"
                yield Finding("snapshots", f"{read.who} read as of {read.pos} {told}")


def _reads(history: History) -> Iterator[tuple[Operation, list[Operation]]]:
    """Each page of history that was read, with its rows."""
    rows: dict[tuple[str, int], list[Operation]] = defaultdict(list)
    for each in history.operations:
        if each.act == "hear" and each.via == "history":
            rows[each.who, each.room].append(each)
        elif each.act == "read" and each.kind == "ok":
            yield each, rows.pop((each.who, each.room), [])
