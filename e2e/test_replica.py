"""What a client holds after frames in every order they may come in."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.client import Frame, Replica

EPOCH = "6b2b1bb5-5b8b-4d62-9c1f-0d3b1b8b7a11"
ROOM = 7
ME, BOB = "1", "2"
FINE = {"epoch": EPOCH, "complete": True, "more": False}


def ready(*rooms: tuple[int, int], epoch: str = EPOCH, more: bool = False) -> Frame:
    listed = [{"room": room, "pos": pos, "seq": pos, "last_read_seq": 0} for room, pos in rooms]
    return {
        "type": "ready",
        "user_id": ME,
        "epoch": epoch,
        "user_pos": 3,
        "rooms": listed,
        "more": more,
    }


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
    replica = Replica()
    replica.apply(ready((ROOM, 5)))
    replica.load(replica.rooms[ROOM], shown(5, ME, BOB), [])
    replica.apply(synced(5))
    replica.take_wishes()
    return replica


def asked(replica: Replica) -> tuple[set[int], set[int]]:
    sync, fetch = replica.take_wishes()
    return {int(room) for room in sync.get("rooms", {})}, set(fetch)


def contents(replica: Replica) -> list[str]:
    return [each["content"] for each in replica.rooms[ROOM].messages.values()]


class TestFirstReady:
    def test_begins_every_room_where_it_stands(self) -> None:
        replica = Replica()
        replica.apply(ready((ROOM, 5), (8, 2)))
        assert {room_id: room.pos for room_id, room in replica.rooms.items()} == {ROOM: 5, 8: 2}
        assert not replica.is_current
        assert asked(replica) == ({ROOM, 8}, {ROOM, 8})
        assert asked(replica) == (set(), set())

    def test_is_current_when_all_is_loaded_and_caught_up(self, replica: Replica) -> None:
        assert replica.is_current


class TestPosition:
    def test_moves_by_events(self, replica: Replica) -> None:
        replica.apply(message(1, 6))
        replica.apply(member("joined", "3", 7))
        assert replica.rooms[ROOM].pos == 7

    def test_is_not_moved_by_an_answer(self, replica: Replica) -> None:
        replica.keep(message(2, 7, "acknowledged, and somebody else's 6 is on its way"))
        assert replica.rooms[ROOM].pos == 5
        assert len(contents(replica)) == 1

    def test_stays_after_a_reconnect_until_synced_while_live_frames_are_applied(
        self, replica: Replica
    ) -> None:
        replica.apply(ready((ROOM, 8)))
        replica.apply(message(4, 9, "live"))
        assert (replica.rooms[ROOM].pos, contents(replica)) == (5, ["live"])
        assert asked(replica) == ({ROOM}, set())
        replica.apply(message(1, 6, "missed"))
        replica.apply(synced(9))
        assert replica.rooms[ROOM].pos == 9
        replica.apply(message(5, 10))
        assert replica.rooms[ROOM].pos == 10

    def test_is_asked_from_again_while_there_is_more(self, replica: Replica) -> None:
        replica.apply(ready((ROOM, 900)))
        replica.take_wishes()
        replica.apply(synced(300, more=True))
        replica.apply(message(901, 901, "live, and no reason to forget what is between"))
        assert replica.rooms[ROOM].pos == 300
        assert asked(replica) == ({ROOM}, set())
        assert not replica.is_current


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
        replica.forget(ROOM)
        replica.apply(message(1, 6))
        replica.keep(message(1, 6))
        assert replica.rooms == {}

    def test_carries_its_sender_s_new_name(self, replica: Replica) -> None:
        replica.apply(message(1, 6))
        named = {"user_id": BOB, "username": "rob", "display_name": "Robert"}
        replica.apply({"type": "user.changed", **named})
        (held,) = replica.rooms[ROOM].messages.values()
        assert (held["sender_username"], held["sender_name"]) == ("rob", "Robert")


class TestIncomplete:
    def test_drops_the_room_and_fetches(self, replica: Replica) -> None:
        replica.apply(message(1, 6, "held"))
        replica.apply(synced(2_000, complete=False))
        assert (replica.rooms[ROOM].pos, contents(replica)) == (2_000, [])
        assert asked(replica) == (set(), {ROOM})


class TestEpoch:
    def test_of_another_database_starts_everything_over(self, replica: Replica) -> None:
        replica.apply(message(1, 6, "held"))
        replica.apply(ready((ROOM, 3), epoch="another"))
        assert (replica.rooms[ROOM].pos, contents(replica)) == (3, [])
        assert asked(replica) == ({ROOM}, {ROOM})

    def test_that_changes_under_an_open_socket_too(self, replica: Replica) -> None:
        replica.apply(synced(3, epoch="another"))
        assert (replica.rooms, replica.epoch) == ({}, "")


class TestMembership:
    def test_follows_who_comes_and_goes(self, replica: Replica) -> None:
        replica.apply(member("joined", "3", 6))
        replica.apply(member("left", BOB, 7))
        assert replica.rooms[ROOM].people == {ME, "3"}

    def test_begins_with_nothing_unread_and_ends_with_its_marker(self, replica: Replica) -> None:
        replica.apply(message(1, 6))
        replica.apply(member("joined", "3", 7))
        assert replica.rooms[ROOM].reads["3"] == 1
        replica.apply(member("left", "3", 8))
        assert "3" not in replica.rooms[ROOM].reads

    def test_is_not_undone_by_what_was_fetched_before(self, replica: Replica) -> None:
        replica.apply(member("joined", "3", 6))
        replica.load(replica.rooms[ROOM], shown(5, ME, BOB), [])
        assert replica.rooms[ROOM].people == {ME, BOB, "3"}

    def test_that_ends_drops_the_room(self, replica: Replica) -> None:
        replica.apply(member("left", ME, 6))
        assert replica.rooms == {}

    def test_that_ended_while_away_drops_the_room(self, replica: Replica) -> None:
        replica.apply(ready())
        assert replica.rooms == {}

    def test_may_stand_on_a_list_that_was_too_long(self, replica: Replica) -> None:
        replica.apply(ready(more=True))
        assert ROOM in replica.rooms

    def test_is_not_ended_by_news_of_an_earlier_end(self, replica: Replica) -> None:
        replica.apply({"type": "room.added", "user_pos": 4, "room": ROOM, "pos": 7})
        replica.apply(member("left", ME, 6))
        assert ROOM in replica.rooms

    def test_that_sync_knows_nothing_of_drops_the_room(self, replica: Replica) -> None:
        refused = {"type": "error", "code": "not_found", "detail": "", "room": ROOM}
        replica.apply(refused | {"ref": "a send, perhaps"})
        assert ROOM in replica.rooms
        replica.apply(refused | {"ref": "sync"})
        assert replica.rooms == {}

    def test_that_begins_again_holds_nothing_of_before(self, replica: Replica) -> None:
        replica.apply(message(1, 6, "before"))
        replica.apply({"type": "room.added", "user_pos": 4, "room": ROOM, "pos": 9})
        assert (replica.rooms[ROOM].pos, contents(replica), replica.user_pos) == (9, [], 4)
        assert asked(replica) == ({ROOM}, {ROOM})


class TestMarker:
    def test_only_moves_forward(self, replica: Replica) -> None:
        read = {"type": "read", "room": ROOM, "user_id": BOB, "username": "bob"}
        for seq in (4, 2):
            replica.apply(read | {"seq": seq})
        replica.apply(synced(5, reads={ME: 3, BOB: 1}))
        assert replica.rooms[ROOM].reads == {ME: 3, BOB: 4}

    def test_moves_with_what_is_sent_only_if_nothing_was_unread(self, replica: Replica) -> None:
        replica.apply(message(1, 6))
        replica.apply(message(2, 7))
        assert replica.rooms[ROOM].reads == {ME: 0, BOB: 2}
        replica.apply(message(3, 8) | {"sender_id": ME})
        assert replica.rooms[ROOM].reads == {ME: 0, BOB: 2}

    def test_of_one_s_own_moves_on_another_device(self, replica: Replica) -> None:
        replica.apply({"type": "me.changed", "user_pos": 4, "room": ROOM, "last_read_seq": 6})
        assert (replica.rooms[ROOM].reads[ME], replica.user_pos) == (6, 4)


class TestPersonalPosition:
    def test_stays_after_a_reconnect_until_synced(self, replica: Replica) -> None:
        replica.apply(ready((ROOM, 5)))
        changed = {"type": "me.changed", "room": ROOM, "last_read_seq": 6}
        replica.apply(changed | {"user_pos": 7})
        assert replica.user_pos == 3
        assert replica.take_wishes()[0]["user_pos"] == 3
        replica.apply({"type": "synced", "user_pos": 7} | FINE)
        assert replica.user_pos == 7

    def test_is_asked_from_again_while_there_is_more(self, replica: Replica) -> None:
        replica.apply({"type": "synced", "user_pos": 5} | FINE | {"more": True})
        assert replica.take_wishes()[0] == {"user_pos": 5}

    def test_that_cannot_be_caught_up_starts_everything_over(self, replica: Replica) -> None:
        replica.apply({"type": "synced", "user_pos": 5} | FINE | {"complete": False})
        assert (replica.rooms, replica.epoch) == ({}, "")

    def test_is_none_on_the_socket_of_one_room(self) -> None:
        replica = Replica(personal=False)
        for _ in range(2):
            replica.apply(ready((ROOM, 5)))
        assert "user_pos" not in replica.take_wishes()[0]


class TestUnknownEvent:
    def test_is_ignored(self, replica: Replica) -> None:
        replica.apply({"type": "something.new", "room": ROOM, "pos": 6})
        replica.apply({"type": "something.else"})
        assert replica.rooms[ROOM].pos == 5
