"""What a client holds after frames in every order they may come in."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.replica import MOST_ROOMS, Frame, Replica, Room

EPOCH = "6b2b1bb5-5b8b-4d62-9c1f-0d3b1b8b7a11"
ROOM = 7
ALICE, BOB = "1", "2"
FINE = {"epoch": EPOCH, "complete": True, "more": False}
SYNC = {"type": "sync", "ref": "sync", "epoch": EPOCH}


def message(id_: int, pos: int, content: str = "", *, kind: str = "message") -> Frame:
    sender = {"sender_id": BOB, "sender_username": "bob", "sender_name": "Bob"}
    place = {"id": id_, "room": ROOM, "seq": id_, "pos": pos}
    return {"type": kind, "content": content, **place, **sender}


def synced(pos: int, **other: Any) -> Frame:
    return {"type": "synced", "room": ROOM, "pos": pos, **FINE, **other}


def member(kind: str, user_id: str, pos: int) -> Frame:
    named = {"user_id": user_id, "username": f"user{user_id}", "role": "member"}
    return {"type": f"member.{kind}", "room": ROOM, "pos": pos, **named}


def shown(pos: int, *user_ids: str) -> Frame:
    people = [
        {"user_id": each, "username": f"user{each}", "role": "member", "last_read_seq": 0}
        for each in user_ids
    ]
    return {"pos": pos, "participants": people, "participants_count": len(people)}


@pytest.fixture
def replica() -> Replica:
    """Stands at position 5 of one room, with nothing left to ask."""
    replica = Replica(ALICE, EPOCH, 3, {ROOM: Room(5, behind=False)}, user_behind=False)
    replica.rooms[ROOM].load(shown(5, ALICE, BOB), [])
    return replica


def contents(replica: Replica) -> list[str]:
    return [each["content"] for each in replica.rooms[ROOM].messages.values()]


def people(replica: Replica) -> set[str]:
    members = replica.rooms[ROOM].members
    return {user_id for user_id, each in members.items() if each["here"]}


class TestBeginning:
    def test_is_current_when_all_is_loaded_and_caught_up(self) -> None:
        replica = Replica(ALICE, EPOCH, 3, {ROOM: Room(5)})
        replica.apply(synced(5))
        replica.apply({"type": "synced", "user_pos": 3} | FINE)
        assert not replica.is_current
        replica.rooms[ROOM].load(shown(5, ALICE, BOB), [])
        assert replica.is_current


class TestPosition:
    def test_moves_by_events(self, replica: Replica) -> None:
        replica.apply(message(1, 6))
        replica.apply(member("joined", "3", 7))
        assert replica.rooms[ROOM].pos == 7

    def test_is_not_moved_by_history(self, replica: Replica) -> None:
        history = [message(2, 7, "read over HTTP, and somebody else's 6 is on its way")]
        replica.rooms[ROOM].load(shown(7, ALICE, BOB), history)
        assert replica.rooms[ROOM].pos == 5
        assert len(contents(replica)) == 1

    def test_stays_after_a_reconnect_until_synced_while_live_frames_are_applied(
        self, replica: Replica
    ) -> None:
        asked = [SYNC | {"user_pos": 3}, SYNC | {"rooms": {ROOM: 5}}]
        assert replica.fall_behind() == asked
        replica.apply(message(4, 9, "live"))
        assert (replica.rooms[ROOM].pos, contents(replica)) == (5, ["live"])
        replica.apply(message(1, 6, "missed"))
        replica.apply(synced(9))
        assert replica.rooms[ROOM].pos == 9
        replica.apply(message(5, 10))
        assert replica.rooms[ROOM].pos == 10

    def test_is_asked_from_again_while_there_is_more(self, replica: Replica) -> None:
        replica.fall_behind()
        assert replica.apply(synced(300, more=True)) == [SYNC | {"rooms": {ROOM: 300}}]
        replica.apply(message(901, 901, "live, and no reason to forget what is between"))
        assert replica.rooms[ROOM].pos == 300
        assert not replica.is_current

    def test_is_asked_from_for_some_rooms_at_once(self) -> None:
        many = Replica(ALICE, EPOCH, 3, {number: Room(1) for number in range(2_500)})
        personally, *asked = many.fall_behind()
        assert "rooms" not in personally
        assert [len(frame["rooms"]) for frame in asked] == [MOST_ROOMS, MOST_ROOMS, 500]


class TestMessage:
    @pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1)])
    def test_is_kept_as_it_was_last(self, replica: Replica, order: tuple[int, ...]) -> None:
        versions = [
            message(1, 6, "first"),
            message(1, 7, "second", kind="message.updated"),
            message(1, 9, "", kind="message.updated"),
        ]
        for number in order:
            replica.apply(versions[number])
        assert contents(replica) == [""]

    def test_of_a_room_that_is_not_held_is_left(self, replica: Replica) -> None:
        del replica.rooms[ROOM]
        replica.apply(message(1, 6))
        assert replica.rooms == {}


class TestIncomplete:
    def test_drops_the_room_and_fetches(self, replica: Replica) -> None:
        replica.apply(message(1, 6, "held"))
        replica.apply(synced(2_000, complete=False, reads={ALICE: 4}))
        assert replica.rooms[ROOM] == Room(2_000, behind=False, loaded=False, reads={ALICE: 4})


class TestEpoch:
    def test_that_changes_under_an_open_socket_too(self, replica: Replica) -> None:
        replica.apply(synced(3, epoch="another"))
        assert replica.epoch == ""


class TestMembership:
    def test_follows_who_comes_and_goes(self, replica: Replica) -> None:
        replica.apply(member("joined", "3", 6))
        replica.apply(member("left", BOB, 7))
        assert people(replica) == {ALICE, "3"}

    def test_is_not_undone_by_what_was_fetched_before(self, replica: Replica) -> None:
        replica.apply(member("joined", "3", 6))
        replica.apply(member("left", BOB, 7))
        replica.rooms[ROOM].load(shown(5, ALICE, BOB), [])
        assert people(replica) == {ALICE, "3"}

    def test_that_ends_drops_the_room(self, replica: Replica) -> None:
        replica.apply(member("left", ALICE, 6))
        assert replica.rooms == {}

    def test_is_not_ended_by_news_of_an_earlier_end(self, replica: Replica) -> None:
        replica.apply({"type": "room.added", "user_pos": 4, "room": ROOM, "pos": 7})
        replica.apply(member("left", ALICE, 6))
        assert ROOM in replica.rooms

    def test_that_sync_knows_nothing_of_drops_the_room(self, replica: Replica) -> None:
        refused = {"type": "error", "code": "not_found", "detail": "", "room": ROOM}
        replica.apply(refused | {"ref": "a send, perhaps"})
        assert ROOM in replica.rooms
        replica.apply(refused | {"ref": "sync"})
        assert replica.rooms == {}

    def test_that_begins_again_holds_nothing_of_before(self, replica: Replica) -> None:
        replica.apply(message(1, 6, "before"))
        added = {"type": "room.added", "user_pos": 4, "room": ROOM, "pos": 9}
        assert replica.apply(added) == [SYNC | {"rooms": {ROOM: 9}}]
        assert (replica.rooms[ROOM], replica.user_pos) == (Room(9), 4)


class TestReadMarker:
    def test_moves_with_whatever_one_hears_of_it(self, replica: Replica) -> None:
        room = replica.rooms[ROOM]
        replica.apply({"type": "read", "room": ROOM, "user_id": BOB, "username": "bob", "seq": 2})
        replica.apply({"type": "me.changed", "room": ROOM, "user_pos": 4, "last_read_seq": 3})
        assert room.reads == {ALICE: 3, BOB: 2}
        replica.apply(synced(5, reads={ALICE: 4, BOB: 3}))
        assert room.reads == {ALICE: 4, BOB: 3}

    def test_never_moves_back(self, replica: Replica) -> None:
        replica.apply({"type": "read", "room": ROOM, "user_id": BOB, "username": "bob", "seq": 2})
        replica.rooms[ROOM].load(shown(5, ALICE, BOB), [])
        replica.apply({"type": "read", "room": ROOM, "user_id": BOB, "username": "bob", "seq": 1})
        assert replica.rooms[ROOM].reads[BOB] == 2

    def test_of_a_room_that_is_not_held_is_left(self, replica: Replica) -> None:
        replica.apply({"type": "me.changed", "room": 99, "user_pos": 4, "last_read_seq": 3})
        assert (set(replica.rooms), replica.user_pos) == ({ROOM}, 4)


class TestPersonalPosition:
    def test_stays_after_a_reconnect_until_synced(self, replica: Replica) -> None:
        replica.fall_behind()
        changed = {"type": "me.changed", "room": ROOM, "last_read_seq": 6}
        replica.apply(changed | {"user_pos": 7})
        assert replica.user_pos == 3
        replica.apply({"type": "synced", "user_pos": 7} | FINE)
        assert replica.user_pos == 7

    def test_is_asked_from_again_while_there_is_more(self, replica: Replica) -> None:
        page = {"type": "synced", "user_pos": 5} | FINE | {"more": True}
        assert replica.apply(page) == [SYNC | {"user_pos": 5}]
        assert not replica.is_current

    def test_that_cannot_be_caught_up_starts_everything_over(self, replica: Replica) -> None:
        replica.apply({"type": "synced", "user_pos": 5} | FINE | {"complete": False})
        assert replica.epoch == ""


class TestUnknownEvent:
    def test_is_ignored(self, replica: Replica) -> None:
        replica.apply({"type": "something.new", "room": ROOM, "pos": 6})
        replica.apply({"type": "something.else"})
        assert replica.rooms[ROOM].pos == 5
