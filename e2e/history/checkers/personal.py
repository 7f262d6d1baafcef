"""What is personal to somebody reaches each of his devices: his markers, and new rooms of his."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from e2e.history.history import SECOND, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History
    from e2e.history.operations import Operation


def personal(history: History) -> Iterator[Finding]:
    """Every device has been told the last change of each of its person's rooms."""
    begun: dict[str, int] = {}
    for each in history.of("me.sync", "invoke"):
        begun.setdefault(each.who, each.pos)
    told: dict[tuple[str, int], int] = defaultdict(int)
    for each in history.of("me"):
        told[each.who, each.room] = max(told[each.who, each.room], each.pos)
    for row in history.final("member"):
        for who, user in history.listeners.items():
            is_owed = user == row.about and not row.left_pos and row.pos > begun.get(who, 0)
            if is_owed and told[who, row.room] < row.pos:
                what = f"user_pos {row.pos} of room {row.room}, only {told[who, row.room]}"
                yield Finding("personal", f"{who} was not told {what}")


def personal_order(history: History) -> Iterator[Finding]:
    """On one connection it only moves forward, and so does each marker with it."""
    top: dict[tuple[str, int], int] = defaultdict(int)
    asked: dict[tuple[str, int], int] = defaultdict(int)
    known: dict[str, set[int]] = defaultdict(set)
    for each in history.operations:
        key = each.who, each.link
        if each.act == "me.sync":
            asked[key] = max(0, asked[key] + (1 if each.kind == "invoke" else -1))
            top[key] = max(top[key], each.pos) if not asked[key] else top[key]
        elif each.act == "me":
            if each.pos < top[key] and not asked[key] and each.pos not in known[each.who]:
                yield Finding("personal_order", f"{each.who} heard {each.pos} after {top[key]}")
            known[each.who].add(each.pos)
            top[key] = max(top[key], each.pos)
    yield from _markers_that_go_back(history)


def _markers_that_go_back(history: History) -> Iterator[Finding]:
    last: dict[tuple[str, int], Operation] = {}
    for each in sorted(history.of("me"), key=lambda each: each.pos):
        if each.event != "me.changed":
            continue
        before = last.setdefault((each.who, each.room), each)
        if each.seq < before.seq:
            told = f"its marker of room {each.room} is {each.seq}, and was {before.seq}"
            yield Finding("personal_order", f"{each.who} was told that {told}")
        last[each.who, each.room] = each


def personal_late(history: History) -> Iterator[Finding]:
    """What one device was told, the others that are connected are told within the bound."""
    for seconds, each in personal_delays(history):
        if seconds > history.bounds.delivery:
            told = f"user_pos {each.pos} after {seconds:.1f} s"
            yield Finding("personal_late", f"{each.who} was told {told}")


def personal_delays(history: History) -> list[tuple[float, Operation]]:
    """How long each first telling took: from the first to anybody, or from when one connected."""
    opened = {(each.who, each.link): each.at for each in history.of("open", "ok")}
    first: dict[tuple[str, int], int] = {}
    told: set[tuple[str, int]] = set()
    found = []
    for each in history.of("me"):
        began = first.setdefault((each.user, each.pos), each.at)
        if (each.who, each.pos) not in told:
            told.add((each.who, each.pos))
            began = history.excused(max(began, opened.get((each.who, each.link), 0)))
            found.append((max(0, each.at - began) / SECOND, each))
    return found
