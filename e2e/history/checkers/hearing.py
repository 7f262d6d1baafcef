"""Who listens misses nothing, and is not behind for longer than was promised."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from e2e.history.history import SECOND, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History, Window
    from e2e.history.operations import Operation

LISTENING = {"live", "resume"}


class Delay(NamedTuple):
    """How long something took to reach somebody who was connected."""

    seconds: float
    heard: Operation


def missed(history: History) -> Iterator[Finding]:
    """Every message that somebody who listens may see was heard in its last version."""
    begun = _beginnings(history)
    newest: dict[tuple[str, int], int] = defaultdict(int)
    for each in history.of("hear"):
        newest[each.who, each.id] = max(newest[each.who, each.id], each.pos)
    for (room, user), windows in history.windows.items():
        if windows[-1].left is not None:
            continue
        for who in (who for who, whose in history.listeners.items() if whose == user):
            if (who, room) not in begun:
                yield Finding("missed", f"{who} never heard of room {room}")
                continue
            for row in _owed(history, room, windows[-1], begun[who, room]):
                if newest[who, row.id] < row.pos:
                    told = f"seq {row.seq} at pos {row.pos}, only {newest[who, row.id]}"
                    yield Finding("missed", f"{who} did not hear {told} of room {room}")


def _owed(history: History, room: int, window: Window, begun: int) -> Iterator[Operation]:
    after = max(begun, window.joined)
    rows = history.messages_of_rooms[room]
    return (row for row in rows if row.pos > after and row.seq >= window.seq)


def _beginnings(history: History) -> dict[tuple[str, int], int]:
    """From which position each client began to listen to each room."""
    begun: dict[tuple[str, int], int] = {}
    for each in history.of("sync", "invoke"):
        begun.setdefault((each.who, each.room), each.pos)
    return begun


def disconnected(history: History) -> Iterator[Finding]:
    """When all is quiet again, every client is connected."""
    quiet = history.phases.get("quiet")
    last = {
        each.who: each
        for each in history.of("open")
        if (quiet is None or each.at < quiet) and each.who in history.listeners
    }
    for who, each in last.items():
        if each.kind == "info":
            yield Finding("disconnected", f"{who} was not back after {each.error}")


def late(history: History) -> Iterator[Finding]:
    """Who is connected hears of what was committed within the bound."""
    bound = history.bounds.delivery
    for delay in delays(history):
        if delay.seconds > bound:
            each = delay.heard
            told = f"pos {each.pos} of room {each.room} after {delay.seconds:.1f} s"
            yield Finding("late", f"{each.who} heard {told}")


def delays(history: History) -> list[Delay]:
    """How long each first hearing took, from the first sign that it was committed.

    Who was not connected then is counted from when he was again; where the fault excuses it, from
    when it was over.
    """
    signs: dict[tuple[int, int, int], int] = {}
    opened = {(each.who, each.link): each.at for each in history.of("open", "ok")}
    heard: set[tuple[str, int, int, int]] = set()
    found = []
    for each in history.operations:
        if each.kind != "ok" or not each.pos or each.act not in _SIGNS:
            continue
        event = each.room, each.id, each.pos
        began = max(signs.setdefault(event, each.at), opened.get((each.who, each.link), 0))
        if each.via in LISTENING and (each.who, *event) not in heard:
            heard.add((each.who, *event))
            found.append(Delay(max(0, each.at - history.excused(began)) / SECOND, each))
    return found


_SIGNS = {"send", "edit", "delete", "join", "leave", "hear"}
