"""One order per room: as acknowledged, as sent, and as heard."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History, Sending
    from e2e.history.operations import Operation


def real_time(history: History) -> Iterator[Finding]:
    """What was acknowledged before another was sent stands before it, in seq and timestamp."""
    place = {(each.user, each.client_id): each for each in history.final("message")}
    last: dict[int, Operation] = {}
    begun: dict[tuple[str, str], Operation | None] = {}
    for each in history.of("send"):
        key = each.user, each.client_id
        if each.kind == "invoke":
            begun.setdefault(key, last.get(each.room))
        elif each.kind == "ok" and key in place:
            last[each.room] = max(last.get(each.room, place[key]), place[key], key=_seq)
    for key, before in begun.items():
        after = place.get(key)
        if not before or not after:
            continue
        if after.seq <= before.seq:
            told = f"seq {after.seq} was sent after {before.seq} was acknowledged"
            yield Finding("real_time", f"room {after.room}: {told}")
        elif after.timestamp < before.timestamp:
            told = f"seq {after.seq} is of {after.timestamp}, {before.seq} of {before.timestamp}"
            yield Finding("real_time", f"room {after.room}: {told}")


def _seq(row: Operation) -> int:
    return row.seq


def session_order(history: History) -> Iterator[Finding]:
    """What one socket sent without waiting, and only once, stands in the order of sending."""
    last: dict[tuple[str, int, int], int] = {}
    for sending in sorted(history.sendings.values(), key=lambda each: each.first.at):
        stored = sending.ok
        if stored is None or not _was_sent_once(sending):
            continue
        first = sending.first
        key = first.who, first.link, first.room
        if stored.seq < last.get(key, 0):
            told = f"{first.who} sent seq {stored.seq} after {last[key]}"
            yield Finding("session_order", f"room {first.room}: {told}")
        last[key] = max(stored.seq, last.get(key, 0))


def _was_sent_once(sending: Sending) -> bool:
    return len(sending.invokes) == 1 and sending.first.via == "socket"


def heard_order(history: History) -> Iterator[Finding]:
    """On one connection a room only moves forward, but for what a sync asked for again."""
    top: dict[tuple[str, int, int], int] = defaultdict(int)
    asked: dict[tuple[str, int, int], int] = defaultdict(int)
    known: dict[tuple[str, int], set[int]] = defaultdict(set)
    for each in history.operations:
        key = each.who, each.link, each.room
        if each.act == "sync":
            # A `synced` may also come unasked.
            asked[key] = max(0, asked[key] + (1 if each.kind == "invoke" else -1))
            if not asked[key]:
                top[key] = max(top[key], each.pos)
        elif each.act == "hear" and each.via in {"live", "resume"}:
            heard = known[each.who, each.room]
            if each.pos < top[key] and not asked[key] and each.pos not in heard:
                told = f"{each.who} heard pos {each.pos} after {top[key]}"
                yield Finding("heard_order", f"room {each.room}: {told}")
            heard.add(each.pos)
            top[key] = max(top[key], each.pos)
