"""What each kind of socket is told through the gateway, with its people on both processes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from e2e.people import Ear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Person
    from local.stack import Stack


@pytest.fixture
def room(alice: Person, bob: Person) -> int:
    return alice.opens_room_with(bob)


@contextmanager
def listening(person: Person, path: str, *, stack: Stack, process: int = 0) -> Iterator[Ear]:
    """Open a socket through the gateway, or of one process, and hear `ready`."""
    port = stack.process(f"messaging_sockets-{process}").port if process else stack.port
    header = {"Authorization": f"Bearer {person.access}"}
    with connect(f"ws://localhost:{port}{path}", additional_headers=header) as socket:
        ear = Ear(socket)
        ear.ready = ear.hears_first("ready")
        yield ear


def until_synced(ear: Ear) -> tuple[list[Any], dict[str, Any]]:
    frames = []
    while (frame := ear.hears())["type"] != "synced":
        frames += [(frame["type"], frame["pos"])] if "pos" in frame else []
    return frames, frame


class TestCatchingUp:
    def test_begins_in_the_address(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        for number in range(3):
            alice.sends(room, str(number))
        with listening(bob, f"/ws/chat/{room}/?after=1", stack=stack) as ear:
            frames, synced = until_synced(ear)
            assert frames == [("message", 2), ("message", 3)]
            assert (synced["pos"], synced["complete"], synced["more"]) == (3, True, False)
            sent = alice.sends(room, "live")
            assert ear.hears_first("message") == {"type": "message"} | sent

    def test_of_one_room_is_asked_for(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        alice.sends(room, "missed")
        with listening(bob, f"/ws/chat/{room}/", stack=stack) as ear:
            ear.says(type="sync", after=0, ref="one")
            frames, synced = until_synced(ear)
        assert (frames, synced["ref"], synced["room"]) == ([("message", 1)], "one", room)

    def test_of_all_rooms_is_one_command(
        self, stack: Stack, alice: Person, bob: Person, carol: Person, room: int
    ) -> None:
        other = carol.opens_room_with(bob)
        alice.sends(room, "missed")
        carol.sends(other, "missed too")
        with listening(bob, "/ws/chat/", stack=stack) as ear:
            assert {each["room"] for each in ear.ready["rooms"]} == {room, other}
            ear.says(type="sync", rooms={room: 0, other: 0}, user_pos=0)
            synced = [until_synced(ear) for _ in range(2)]
            assert [frames for frames, _ in synced] == [[("message", 1)]] * 2
            assert {frame["room"] for _, frame in synced} == {room, other}
            added = [ear.hears_first("room.added")["room"] for _ in range(2)]
            assert set(added) == {room, other}
            assert ear.hears_first("synced")["user_pos"] == ear.ready["user_pos"]

    def test_over_http_brings_the_same_frames(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        alice.sends(room, "missed")
        with listening(bob, f"/ws/chat/{room}/?after=0", stack=stack) as ear:
            told = ear.hears_first("message")
        shown = bob.http.get(f"/api/chat/rooms/{room}/changes/", params={"after": 0}).json()
        assert shown["events"] == [told]
        rooms = {"rooms": {str(room): 0}}
        assert bob.http.post("/api/chat/changes/", json=rooms).json() == {
            "rooms": {str(room): shown}
        }


@pytest.mark.parametrize(("hers", "his"), [(1, 2), (2, 1)])
class TestBothProcesses:
    def test_tell_every_act_of_a_room(
        self, stack: Stack, alice: Person, bob: Person, room: int, hers: int, his: int
    ) -> None:
        with (
            listening(alice, f"/ws/chat/{room}/", stack=stack, process=hers) as mouth,
            listening(bob, "/ws/chat/", stack=stack, process=his) as ear,
        ):
            mouth.says(type="message", content="Hello", ref="1")
            sent = mouth.hears_first("ack")["message"]
            assert ear.hears_first("message") == {"type": "message"} | sent
            mouth.says(type="message.edit", id=sent["id"], content="Hello, Bob", ref="2")
            edited = mouth.hears_first("ack")["message"]
            told = {"type": "message.updated", "change": "edited"}
            assert ear.hears_first("message.updated") == told | edited
            mouth.says(type="message.delete", id=sent["id"], ref="3")
            deleted = mouth.hears_first("ack")["message"]
            assert (deleted["content"], deleted["is_deleted"]) == ("", True)
            told = {"type": "message.updated", "change": "deleted"}
            assert ear.hears_first("message.updated") == told | deleted

    def test_tell_who_has_read_and_one_s_other_devices(
        self, stack: Stack, alice: Person, bob: Person, room: int, hers: int, his: int
    ) -> None:
        alice.sends(room, "Read me")
        with (
            listening(alice, "/ws/chat/", stack=stack, process=hers) as ear,
            listening(bob, "/ws/chat/", stack=stack, process=his) as phone,
            listening(bob, f"/ws/chat/{room}/", stack=stack, process=hers) as desk,
        ):
            desk.says(type="read", seq=1, ref="r")
            ack = desk.hears_first("ack")
            assert (ack["room"], ack["seq"]) == (room, 1)
            read = ear.hears_first("read")
            assert (read["user_id"], read["seq"]) == (bob.user["id"], 1)
            assert phone.hears_first("me.changed")["last_read_seq"] == 1

    def test_tell_of_a_new_room(
        self, stack: Stack, alice: Person, carol: Person, room: int, hers: int, his: int
    ) -> None:
        with (
            listening(carol, "/ws/chat/", stack=stack, process=his) as ear,
            listening(alice, "/ws/chat/", stack=stack, process=hers) as mouth,
        ):
            new = alice.opens_room_with(carol)
            assert {ear.hears_first("room.added")["room"], new, room} == {new, room}
            mouth.hears_first("room.added")
            mouth.says(type="message", room=new, content="Here")
            assert ear.hears_first("message")["room"] == new

    def test_tell_how_people_are(
        self, stack: Stack, alice: Person, bob: Person, room: int, hers: int, his: int
    ) -> None:
        with (
            listening(alice, f"/ws/chat/{room}/", stack=stack, process=hers) as ear,
            listening(bob, f"/ws/chat/{room}/", stack=stack, process=his) as mouth,
        ):
            mouth.says(type="presence", status="busy", custom_status="Writing", ref="p")
            assert mouth.hears_first("ack")["ref"] == "p"
            # He may have come a moment ago, and nobody was told of it yet.
            while (told := ear.hears_first("presence"))["status"] != "busy":
                pass
            assert (told["user_id"], told["custom_status"]) == (bob.user["id"], "Writing")


class TestTyping:
    def test_is_ended_by_the_server(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        with (
            listening(alice, "/ws/chat/", stack=stack, process=1) as mouth,
            listening(bob, "/ws/chat/", stack=stack, process=2) as ear,
        ):
            mouth.says(type="typing", room=room, is_typing=True)
            assert ear.hears_first("typing")["is_typing"]
            assert not ear.hears_first("typing")["is_typing"]


class TestNotifications:
    def test_say_what_is_unread_and_nothing_of_what_was_said(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        with listening(bob, "/ws/notifications/", stack=stack) as ear:
            alice.sends(room, "For your eyes only")
            told = ear.hears_first("unread")
            assert (told["room"], told["unread_count"], told["total"]) == (room, 1, 1)
            assert told["total"] == bob.http.get("/api/chat/unread/").json()["total"]
            bob.http.post("/api/chat/reads/", json={"room": room, "seq": 1})
            frames = [ear.hears() for _ in range(2)]
        assert [frame["type"] for frame in frames] == ["me.changed", "unread"]
        assert frames[1]["total"] == 0
        assert "eyes" not in json.dumps(frames)
