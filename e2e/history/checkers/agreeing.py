"""Whoever looks, and however, sees the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History
    from e2e.history.operations import Operation


def agreement(history: History) -> Iterator[Finding]:
    """A place in a room is one message for everybody; a version of a message is one content."""
    at_place: dict[object, Operation] = {}
    of_version: dict[object, Operation] = {}
    for each in _shown(history):
        first = at_place.setdefault((each.room, each.seq), each)
        if _identity(first) != _identity(each):
            yield _finding(f"seq {each.seq}", first, each)
            continue
        same = of_version.setdefault((each.id, each.pos), each)
        if (same.digest, same.is_deleted) != (each.digest, each.is_deleted):
            yield _finding(f"message {each.id} at pos {each.pos}", same, each)


def _shown(history: History) -> Iterator[Operation]:
    for each in history.operations:
        if each.id and each.kind == "ok" and each.act in {"send", "edit", "delete", "hear"}:
            yield each
    yield from history.final("message")
    yield from history.final("message", "http")


def _identity(each: Operation) -> tuple[int, str, str, int]:
    return each.id, each.client_id, each.about, each.created_pos


def _finding(what: str, first: Operation, other: Operation) -> Finding:
    seen = [f"{each.act} {each.via} {each.who}" for each in (first, other)]
    return Finding("agreement", f"room {other.room}: {what} differs: {' / '.join(seen)}")
