"""One batch of sends as one transaction: lock first, look second, decide, write.

The lock is a statement of its own. A single statement that locks and looks would look at a snapshot
from before its wait, and let in somebody who was removed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class.

from messaging.actions.writer.sends import Outcome, Send, Sent
from messaging.errors import ClientIdReused, NotFound
from messaging.permissions import Tie, refusal_to_send, refusal_to_write
from messaging.serializers.messages import MessageRow, message_text
from service_kit.rendering import encode_json


@dataclass(slots=True)
class LockedRoom:
    """The counters of a room whose row this transaction holds."""

    seq: int
    pos: int
    last_activity: datetime


class Sender(NamedTuple):
    """The sender's membership of the room he sends to, with his names."""

    left_pos: int | None
    last_read_seq: int
    username: str
    display_name: str


class Seen(NamedTuple):
    """What the database held for one send, looked at under the lock.

    `tie` is what the two people of a direct room are to each other, and None in other rooms.
    """

    clock: datetime
    new_id: int
    sender: Sender | None
    request_hash: bytes
    duplicate: MessageRow | None
    tie: Tie | None = None


@dataclass(slots=True)
class Plan:
    """What to answer to each send of a batch (by its index), and what to store for that."""

    refused: dict[int, Outcome] = field(default_factory=dict)
    repeated: dict[int, MessageRow] = field(default_factory=dict)
    repeated_in_batch: dict[int, int] = field(default_factory=dict)
    new: dict[int, MessageRow] = field(default_factory=dict)
    markers: dict[tuple[int, str], int] = field(default_factory=dict)


def lock_and_look(
    cursor: Cursor, sends: Sequence[Send], *, wait: bool
) -> tuple[dict[int, LockedRoom], list[Seen]]:
    """Begin, hold the rooms' rows in id order, then look; without `wait`, hold what is free.

    Gives the rooms that are held now, and what there is for each send, in the order of the sends.
    """
    asked = [
        {"n": n, "room_id": s.room_id, "sender_id": s.sender_id, "client_id": s.message.client_id}
        for n, s in enumerate(sends)
    ]
    lock = "lock_waiting" if wait else "lock_free"
    cursor.execute(
        f"BEGIN; EXECUTE {lock}(%s::bigint[]); EXECUTE look(%s)",
        [list({send.room_id for send in sends}), encode_json(asked).decode()],
    )
    rows = cursor.fetchall()
    rooms = {row[1]: LockedRoom(*row[2:5]) for row in rows if row[1] is not None}
    earlier = _recall(cursor, [row[10] for row in rows if row[10] is not None])
    return rooms, [_seen(row, earlier) for row in rows]


def _recall(cursor: Cursor, ids: list[int]) -> dict[int, MessageRow]:
    """What had been stored under a client_id that is used again, as it is now."""
    if not ids:
        return {}
    cursor.execute("EXECUTE recall(%s::bigint[])", [ids])
    return {row[0]: MessageRow(*row) for row in cursor.fetchall()}


def _seen(row: tuple[Any, ...], earlier: dict[int, MessageRow]) -> Seen:
    left_pos, last_read_seq, username, display_name, new_id, earlier_id, request_hash = row[5:12]
    is_blocked, are_contacts = row[12:]
    is_member = last_read_seq is not None and username is not None
    return Seen(
        clock=row[0],
        new_id=new_id,
        sender=Sender(left_pos, last_read_seq, username, display_name) if is_member else None,
        request_hash=bytes(request_hash or b""),
        duplicate=earlier.get(earlier_id),
        tie=None if is_blocked is None else Tie(is_blocked, are_contacts),
    )


def decide(sends: Sequence[Send], rooms: dict[int, LockedRoom], seen: Sequence[Seen]) -> Plan:
    """Refuse, recognise or number each send; only what is accepted raises its room's counters.

    What was sent before is recognised whatever the two people of a direct room are to each other.
    """
    plan = Plan()
    first_use: dict[tuple[str, str], int] = {}
    for n, (send, found) in enumerate(zip(sends, seen, strict=True)):
        earlier = first_use.get((send.sender_id, send.message.client_id))
        room = rooms.get(send.room_id)
        if refusal := send.refusal or (refusal_to_send(found.sender) if room else NotFound("room")):
            plan.refused[n] = refusal
        elif found.duplicate is not None:
            _recognise(plan, n, send, found)
        elif earlier is not None:
            _recognise_in_batch(plan, n, earlier, sends)
        elif refusal := refusal_to_write(found.tie):
            plan.refused[n] = refusal
        else:
            first_use[send.sender_id, send.message.client_id] = n
            assert room is not None
            plan.new[n] = _number(plan, send, room, found)
    return plan


def _recognise(plan: Plan, n: int, send: Send, found: Seen) -> None:
    if found.request_hash == send.message.request_hash and found.duplicate is not None:
        plan.repeated[n] = found.duplicate
    else:
        plan.refused[n] = ClientIdReused()


def _recognise_in_batch(plan: Plan, n: int, earlier: int, sends: Sequence[Send]) -> None:
    if sends[earlier].message.request_hash == sends[n].message.request_hash:
        plan.repeated_in_batch[n] = earlier
    else:
        plan.refused[n] = ClientIdReused()


def _number(plan: Plan, send: Send, room: LockedRoom, found: Seen) -> MessageRow:
    """Give the send its place; who had nothing unread has read his own message too."""
    sender = found.sender
    assert sender is not None
    marker = plan.markers.get((send.room_id, send.sender_id), sender.last_read_seq)
    if marker == room.seq:
        plan.markers[send.room_id, send.sender_id] = room.seq + 1
    room.seq += 1
    room.pos += 1
    # The wall clock may step back, and another process may have been ahead: never before the last.
    room.last_activity = max(found.clock, room.last_activity)
    return MessageRow(
        id=found.new_id,
        room_id=send.room_id,
        seq=room.seq,
        pos=room.pos,
        created_pos=room.pos,
        sender_id=send.sender_id,
        sender_username=sender.username,
        sender_name=sender.display_name,
        content=send.message.content,
        message_type=send.message.message_type,
        timestamp=room.last_activity,
        client_id=send.message.client_id,
        edited_at=None,
        deleted_at=None,
    )


def store(cursor: Cursor, plan: Plan, sends: Sequence[Send], rooms: dict[int, LockedRoom]) -> None:
    """Store what the plan accepts and commit, in one round trip; where nothing is new, just end."""
    if not plan.new:
        cursor.execute("COMMIT")
        return
    touched = {row.room_id for row in plan.new.values()}
    counters = [
        {"id": id_, "seq": room.seq, "pos": room.pos, "at": room.last_activity}
        for id_, room in rooms.items()
        if id_ in touched
    ]
    markers = [
        {"room_id": room_id, "user_id": user_id, "seq": seq}
        for (room_id, user_id), seq in plan.markers.items()
    ]
    rows = [_columns(row, sends[n].message.request_hash) for n, row in plan.new.items()]
    arguments = [encode_json(part).decode() for part in (counters, markers, rows)]
    cursor.execute("EXECUTE write(%s, %s, %s); COMMIT", arguments)


def _columns(row: MessageRow, request_hash: bytes) -> dict[str, Any]:
    return {
        "id": row.id,
        "room_id": row.room_id,
        "seq": row.seq,
        "pos": row.pos,
        "sender_id": row.sender_id,
        "client_id": row.client_id,
        "request_hash": request_hash.hex(),
        "message_type": row.message_type,
        "content": row.content,
        "at": row.timestamp,
    }


def outcomes_of(plan: Plan, sends: Sequence[Send]) -> list[Outcome]:
    """What to answer to each send once the plan is stored."""
    sent: dict[int, Outcome] = dict(plan.refused)
    for n, row in plan.new.items():
        sent[n] = Sent(row=row, text=message_text(row), duplicate=False)
    for n, row in plan.repeated.items():
        sent[n] = Sent(row=row, text=message_text(row), duplicate=True)
    for n, earlier in plan.repeated_in_batch.items():
        first = sent[earlier]
        assert isinstance(first, Sent)
        sent[n] = Sent(row=first.row, text=first.text, duplicate=True)
    return [sent[n] for n in range(len(sends))]
