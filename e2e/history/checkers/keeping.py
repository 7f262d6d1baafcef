"""What was acknowledged is there, once, and nothing else is."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History, Sending

DOORS = ("sql", "http")


def lost(history: History) -> Iterator[Finding]:
    """Each acknowledged message is read at the end, and each acknowledged change of one."""
    for via in DOORS:
        there = {(each.user, each.client_id): each for each in history.final("message", via)}
        for (user, client_id), sending in history.sendings.items():
            if sending.ok and (user, client_id) not in there:
                yield Finding("lost", f"{user}'s {client_id} was acknowledged, {via} has it not")
        by_id = {each.id: each for each in there.values()}
        for change in [*history.of("edit", "ok"), *history.of("delete", "ok")]:
            found = by_id.get(change.id)
            if found and (found.pos < change.pos or (change.is_deleted and not found.is_deleted)):
                told = f"the {change.act} of message {change.id} at pos {change.pos}"
                yield Finding("lost", f"{told} was acknowledged, {via} has pos {found.pos}")


def doubled(history: History) -> Iterator[Finding]:
    """Each client_id, each place in a room and each id is there once."""
    for via in DOORS:
        rows = history.final("message", via)
        keys: dict[str, Counter[object]] = {
            "client_id": Counter((each.user, each.client_id) for each in rows),
            "seq": Counter((each.room, each.seq) for each in rows),
            "id": Counter(each.id for each in rows),
        }
        for name, counted in keys.items():
            for key, number in counted.items():
                if number > 1:
                    yield Finding("doubled", f"{via} has {number} messages with {name} {key}")


def phantom(history: History) -> Iterator[Finding]:
    """Nothing is there or was told that nobody sent, or that was certainly refused."""
    for each in history.final("message"):
        sending = history.sendings.get((each.user, each.client_id))
        if sending is None:
            yield Finding("phantom", f"nobody sent message {each.id}")
        elif sending.is_certainly_not_done:
            yield Finding("phantom", f"message {each.id} was refused, and is there")
    for sending in history.sendings.values():
        if sending.ok and sending.ok.duplicate and _was_refused_before(sending):
            told = f"{sending.first.client_id} was refused every time"
            yield Finding("phantom", f"{told}, and then called a duplicate")
    told_ids = {each.id: each for each in history.of("hear") if each.id}
    for id_ in told_ids.keys() - history.messages.keys():
        yield Finding("phantom", f"message {id_} was told to {told_ids[id_].who}, and is not there")


def _was_refused_before(sending: Sending) -> bool:
    """Whether nothing had been stored by all that was said before the first ok."""
    refused = [each for each in sending.outcomes if each.kind == "fail"]
    unknown = [each for each in sending.outcomes if each.kind == "info"]
    return not unknown and len(sending.invokes) == len(refused) + 1


def dense(history: History) -> Iterator[Finding]:
    """The messages of a room are 1..n, and its two counters stand where the last ones are."""
    rooms = {each.room: each for each in history.final("room")}
    positions = defaultdict(int)
    for room, rows in history.messages_of_rooms.items():
        missing = sorted(set(range(1, rows[-1].seq + 1)) - {each.seq for each in rows})
        if missing:
            yield Finding("dense", f"room {room} lacks seq {missing[:5]} of {rows[-1].seq}")
        if rooms[room].seq != rows[-1].seq:
            yield Finding("dense", f"room {room} counts {rooms[room].seq}, has {rows[-1].seq}")
        positions[room] = max(each.pos for each in rows)
    for room, furthest in positions.items():
        if furthest > rooms[room].pos:
            yield Finding("dense", f"room {room} is at pos {rooms[room].pos}, has {furthest}")
