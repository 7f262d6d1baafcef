"""`decide` against a model that takes sends one by one, as if there were no batches."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.actions.writer.sends import Send
from messaging.actions.writer.transaction import LockedRoom, Plan, Seen, Sender, decide
from messaging.permissions import Tie
from messaging.serializers.messages import MessageRow, NewMessage
from service_kit.refusals import Refusal

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOMS, PEOPLE, IDS, TEXTS = (1, 2, 3), ("ann", "bob"), ("i", "j", "k"), ("x", "y")

Ties = dict[int, Tie]


def hashed(room_id: int, content: str) -> bytes:
    return f"{room_id}:{content}".encode()


def new(room_id: int, sender_id: str, client_id: str, content: str) -> Send:
    message = NewMessage(content, "text", client_id, hashed(room_id, content))
    return Send(room_id=room_id, sender_id=sender_id, message=message, settle=lambda _: None)


class World:
    """What is stored, in plain dictionaries; `send` is the whole specification."""

    def __init__(
        self, members: dict[tuple[int, str], int | None], missing: int, ties: Ties
    ) -> None:
        self.members = members
        self.ties = ties
        self.rooms = {room: [0, START] for room in ROOMS if room != missing}
        self.markers = dict.fromkeys(members, 0)
        self.kept: dict[tuple[str, str], tuple[int, int, bytes]] = {}

    def send(self, send: Send, clock: datetime) -> tuple[Any, ...]:
        where = (send.room_id, send.sender_id)
        message = send.message
        if send.room_id not in self.rooms or self.members.get(where, 0) is not None:
            return ("not_found",)
        if found := self.kept.get((send.sender_id, message.client_id)):
            same = found[2] == message.request_hash
            return ("duplicate", *found[:2]) if same else ("client_id_reused",)
        if (tie := self.ties.get(send.room_id)) and tie.is_blocked:
            return ("blocked",)
        room = self.rooms[send.room_id]
        if self.markers[where] == room[0]:
            self.markers[where] += 1
        room[0] += 1
        room[1] = max(room[1], clock)
        kept = (send.room_id, room[0], message.request_hash)
        self.kept[send.sender_id, message.client_id] = kept
        return ("new", send.room_id, room[0], room[1])


class Decided:
    """The same world, brought forward by `decide` in batches."""

    def __init__(
        self, members: dict[tuple[int, str], int | None], missing: int, ties: Ties
    ) -> None:
        self.members = members
        self.ties = ties
        self.rooms = {room: LockedRoom(0, 0, START) for room in ROOMS if room != missing}
        self.markers = dict.fromkeys(members, 0)
        self.kept: dict[tuple[str, str], tuple[MessageRow, bytes]] = {}

    def send(self, batch: list[tuple[Send, datetime]]) -> list[tuple[Any, ...]]:
        sends = [send for send, _ in batch]
        plan = decide(sends, self.rooms, [self.look(send, clock) for send, clock in batch])
        for n, row in plan.new.items():
            assert row.pos == row.created_pos == row.seq
            key = (row.sender_id, row.client_id)
            assert key not in self.kept
            self.kept[key] = (row, sends[n].message.request_hash)
        self.markers |= plan.markers
        return [shown(plan, n) for n in range(len(batch))]

    def look(self, send: Send, clock: datetime) -> Seen:
        where = (send.room_id, send.sender_id)
        row, request_hash = self.kept.get((send.sender_id, send.message.client_id), (None, b""))
        member = None
        if where in self.members:
            member = Sender(self.members[where], self.markers[where], send.sender_id, "")
        return Seen(clock, 0, member, request_hash, row, self.ties.get(send.room_id))


def shown(plan: Plan, n: int) -> tuple[Any, ...]:
    """What became of the n-th send; it is in exactly one part of the plan."""
    found: list[tuple[Any, ...]] = []
    if n in plan.refused:
        refusal = plan.refused[n]
        assert isinstance(refusal, Refusal)
        found.append((refusal.code,))
    if n in plan.repeated:
        found.append(("duplicate", plan.repeated[n].room_id, plan.repeated[n].seq))
    if n in plan.repeated_in_batch:
        first = plan.new[plan.repeated_in_batch[n]]
        found.append(("duplicate", first.room_id, first.seq))
    if n in plan.new:
        row = plan.new[n]
        found.append(("new", row.room_id, row.seq, row.timestamp))
    assert len(found) == 1
    return found[0]


left = st.sampled_from([None, None, None, 1])
memberships = st.fixed_dictionaries(
    {}, optional={(room, who): left for room in ROOMS for who in PEOPLE}
)
ties = st.fixed_dictionaries(
    {}, optional={room: st.builds(Tie, st.booleans(), st.booleans()) for room in ROOMS}
)
sends = st.builds(
    new,
    st.sampled_from(ROOMS),
    st.sampled_from(PEOPLE),
    st.sampled_from(IDS),
    st.sampled_from(TEXTS),
)
# Clocks step back too.
clocks = st.integers(-3, 3).map(lambda seconds: START + timedelta(seconds=seconds))
batches = st.lists(st.lists(st.tuples(sends, clocks), min_size=1, max_size=8), max_size=5)


class TestDecide:
    @settings(max_examples=400, deadline=None)
    @given(members=memberships, missing=st.sampled_from([0, 3]), ties=ties, work=batches)
    def test_agrees_with_one_by_one(
        self,
        members: dict[tuple[int, str], int | None],
        missing: int,
        ties: Ties,
        work: list[list[tuple[Send, datetime]]],
    ) -> None:
        model, real = World(members, missing, ties), Decided(members, missing, ties)
        for batch in work:
            assert real.send(batch) == [model.send(send, clock) for send, clock in batch]
            assert real.markers == model.markers
            counted = {id_: [room.seq, room.last_activity] for id_, room in real.rooms.items()}
            assert counted == model.rooms
            assert all(room.seq == room.pos for room in real.rooms.values())
