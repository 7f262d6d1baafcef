"""Catching up over sockets: one room, many rooms, what is personal; and starting over."""

import time

import pytest

from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import delete_message, edit_message, send_message
from messaging.actions.rooms import open_direct_room
from messaging.models import Message, Profile, Room
from messaging.queries.changes import MOST_CHANGES, PAGE_BYTES
from messaging.serializers.messages import new_message
from messaging_service.tests.sockets import Socket


@pytest.fixture
def open_socket(socket_server, request):
    """Open any path as somebody, and wait until it is ready."""

    def open_path(person, path, query="", *, server=socket_server):
        socket = Socket(f"{server.address}/ws/{path}?token={person.token}{query}")
        request.addfinalizer(socket.close)
        socket.ready = socket.expect("ready")
        return socket

    return open_path


@pytest.fixture
def send(alice, room):
    def store(content="x", *, room_id=room, sender=alice):
        message = new_message({"content": content}, room_id=room_id)
        return send_message(sender_id=sender.id, room_id=room_id, message=message).row

    return store


def until_synced(socket):
    """What comes up to the next `synced`, and it."""
    frames = []
    while (frame := socket.next())["type"] != "synced":
        frames.append(frame)
    return frames, frame


def kinds(frames):
    return [(frame["type"], frame["pos"]) for frame in frames]


class TestOneRoom:
    def test_tells_what_changed_and_then_that_it_is_all(self, open_socket, alice, bob, room, send):
        sent = [send(str(n)) for n in range(4)]
        socket = open_socket(bob, f"chat/{room}/")
        edit_message(user_id=alice.id, message_id=sent[0].id, content="edited")
        delete_message(user_id=alice.id, message_id=sent[3].id)
        assert socket.expect("message.updated")["change"] == "edited"
        assert socket.expect("message.updated")["change"] == "deleted"
        socket.send({"type": "sync", "after": 2, "ref": "a"})
        frames, synced = until_synced(socket)
        assert kinds(frames) == [("message", 3), ("message.updated", 5), ("message", 6)]
        assert all("change" not in frame for frame in frames)
        assert (frames[1]["content"], frames[2]["is_deleted"], frames[2]["content"]) == (
            "edited",
            True,
            "",
        )
        assert synced == {
            "type": "synced",
            "ref": "a",
            "room": room,
            "pos": 6,
            "epoch": socket.ready["epoch"],
            "complete": True,
            "more": False,
            "reads": {alice.id: 4, bob.id: 0},
        }

    def test_goes_on_live_from_there(self, open_socket, bob, room, send):
        send()
        socket = open_socket(bob, f"chat/{room}/")
        for _ in range(20):
            socket.send({"type": "sync", "after": 0})
            send()
        seen = 0
        while seen < 21:
            frame = socket.next()
            assert frame["pos"] <= seen + 1 or frame["type"] == "synced"
            seen = max(seen, frame["pos"])
        send()
        while seen < 22:
            seen = socket.expect("message")["pos"]

    def test_in_the_address_comes_right_after_ready(self, open_socket, bob, room, send):
        for _ in range(3):
            send()
        socket = open_socket(bob, f"chat/{room}/", "&after=1")
        frames, synced = until_synced(socket)
        assert (kinds(frames), synced["pos"]) == ([("message", 2), ("message", 3)], 3)
        assert "ref" not in synced

    @pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "٣", "9" * 20, "9" * 5_000])
    def test_in_the_address_must_be_a_position(self, connect, socket_server, bob, room, after):
        address = f"{socket_server.address}/ws/chat/{room}/?token={bob.token}&after={after}"
        with Socket(address) as socket:
            assert socket.closed() == 4400

    def test_is_incomplete_from_a_position_that_is_not_there_yet(self, open_socket, bob, room):
        socket = open_socket(bob, f"chat/{room}/")
        socket.send({"type": "sync", "after": 1})
        frames, synced = until_synced(socket)
        assert (frames, synced["complete"], synced["pos"]) == ([], False, 0)

    def test_is_incomplete_from_another_epoch(self, open_socket, bob, room, send):
        send()
        socket = open_socket(bob, f"chat/{room}/", "&after=0&epoch=another")
        assert until_synced(socket)[1]["complete"] is False
        socket.send({"type": "sync", "after": 0, "epoch": socket.ready["epoch"]})
        assert until_synced(socket)[1]["complete"] is True

    def test_is_incomplete_from_before_one_joined(self, open_socket, alice, bob, room, send):
        send()
        remove_member(room_id=room, user_id=bob.id)
        add_member(room_id=room, user_id=bob.id)
        send()
        socket = open_socket(bob, f"chat/{room}/", "&after=2")
        assert until_synced(socket)[1]["complete"] is False
        socket.send({"type": "sync", "after": 3})
        frames, synced = until_synced(socket)
        assert (kinds(frames), synced["complete"]) == ([("message", 4)], True)

    @pytest.mark.parametrize(
        ("changes", "complete"), [(MOST_CHANGES, True), (MOST_CHANGES + 1, False)]
    )
    def test_of_a_thousand_changes_is_complete_and_of_one_more_not(
        self, open_socket, alice, bob, room, changes, complete
    ):
        Room.objects.filter(pk=room).update(seq=changes, pos=changes)
        now = Room.objects.get(pk=room).created_at
        Message.objects.bulk_create(
            Message(
                room_id=room,
                seq=n,
                pos=n,
                created_pos=n,
                sender_id=alice.id,
                client_id=f"{room}-{n}",
                request_hash=b"",
                content="x",
                timestamp=now,
            )
            for n in range(1, changes + 1)
        )
        socket = open_socket(bob, f"chat/{room}/", "&after=0")
        frames, synced = until_synced(socket)
        while synced["more"]:
            socket.send({"type": "sync", "after": synced["pos"]})
            more, synced = until_synced(socket)
            frames += more
        assert synced["complete"] is complete
        assert [frame["pos"] for frame in frames] == list(range(1, changes + 1))[: len(frames)]
        assert len(frames) == (changes if complete else 0)

    def test_comes_in_pages_between_which_nothing_is_live(self, open_socket, bob, room, send):
        for _ in range(100):
            send("z" * 4_000)
        socket = open_socket(bob, f"chat/{room}/", "&after=0")
        frames, synced = until_synced(socket)
        assert synced["more"] is True
        assert synced["pos"] == frames[-1]["pos"]
        assert "reads" not in synced
        size = sum(len(str(frame)) for frame in frames)
        assert PAGE_BYTES * 0.7 < size < PAGE_BYTES * 1.1
        send("meanwhile")
        time.sleep(0.3)
        assert socket.ask({"type": "ping"})["type"] == "pong"
        assert socket.unheard == []
        socket.send({"type": "sync", "after": synced["pos"]})
        more, synced = until_synced(socket)
        assert [f["pos"] for f in frames + more] == list(range(1, 102))
        assert synced["more"] is False

    @pytest.mark.parametrize(
        "frame",
        [
            {},
            {"after": -1},
            {"after": "x"},
            {"after": None},
            {"after": 2**63},
            {"after": 0, "rooms": {}},
            {"after": 0, "user_pos": 1},
            {"rooms": {"1": 0}},
            {"after": 0, "epoch": "x" * 65},
        ],
    )
    def test_is_refused_in_any_other_form(self, open_socket, bob, room, send, frame):
        socket = open_socket(bob, f"chat/{room}/")
        assert socket.ask({"type": "sync", **frame})["code"] == "invalid"
        send()
        assert socket.expect("message")["pos"] == 1


class TestManyRooms:
    @pytest.fixture
    def rooms(self, alice, bob, carol, open_room):
        return [open_room(alice, bob), open_room(alice, carol)]

    def test_are_caught_up_with_one_command(self, open_socket, alice, rooms, send):
        for room_id in rooms:
            send(room_id=room_id)
            send(room_id=room_id)
        socket = open_socket(alice, "chat/")
        assert [room["room"] for room in socket.ready["rooms"]] == rooms[::-1]
        asked = {str(rooms[0]): 1, str(rooms[1]): 2}
        socket.send({"type": "sync", "rooms": asked, "ref": "a"})
        told = [socket.next() for _ in range(3)]
        assert [(f["type"], f["room"], f["pos"]) for f in told] == [
            ("message", rooms[0], 2),
            ("synced", rooms[0], 2),
            ("synced", rooms[1], 2),
        ]

    def test_of_somebody_else_are_not_found_alike(self, open_socket, make_person, rooms):
        socket = open_socket(make_person(), "chat/")
        socket.send({"type": "sync", "rooms": {str(rooms[0]): 0, "999999999": 0}, "ref": "a"})
        refused = [socket.next() for _ in range(2)]
        assert {(f["type"], f["code"], f["ref"]) for f in refused} == {("error", "not_found", "a")}
        assert {f["room"] for f in refused} == {rooms[0], 999999999}

    def test_are_told_live_too(self, open_socket, other_socket_server, alice, rooms, send):
        socket = open_socket(alice, "chat/", server=other_socket_server)
        for room_id in rooms:
            send(room_id=room_id)
        assert [socket.expect("message")["room"] for _ in rooms] == rooms

    def test_grow_when_one_is_added(self, open_socket, alice, make_person, rooms, send):
        socket = open_socket(alice, "chat/")
        other = make_person("other")
        opened = open_direct_room(caller_id=other.id, other=Profile.objects.get(pk=alice.id))
        added = socket.expect("room.added")
        assert (added["room"], added["pos"]) == (opened.room.pk, 0)
        assert "unread_count" not in added
        send(room_id=opened.room.pk, sender=other)
        assert socket.expect("message")["room"] == opened.room.pk

    def test_shrink_when_one_is_left_and_grow_again(self, open_socket, alice, bob, rooms, send):
        socket = open_socket(bob, "chat/")
        send(room_id=rooms[0])
        remove_member(room_id=rooms[0], user_id=bob.id)
        assert socket.expect("member.left")["user_id"] == bob.id
        send(room_id=rooms[0])
        add_member(room_id=rooms[0], user_id=bob.id)
        assert socket.next()["pos"] == 1
        assert socket.next()["type"] == "room.added"
        synced = socket.expect("synced")
        assert (synced["pos"], synced["complete"]) == (4, True)
        send(room_id=rooms[0])
        assert socket.expect("message")["pos"] == 5

    @pytest.mark.parametrize(
        "frame",
        [
            {},
            {"after": 1},
            {"rooms": []},
            {"rooms": {"x": 0}},
            {"rooms": {"0": 0}},
            {"rooms": {str(2**63): 0}},
            {"rooms": {"1": -1}},
            {"rooms": {"1": "x"}},
            {"rooms": {str(n): 0 for n in range(1, 1_002)}},
            {"user_pos": -1},
        ],
    )
    def test_are_refused_in_any_other_form(self, open_socket, alice, rooms, send, frame):
        socket = open_socket(alice, "chat/")
        assert socket.ask({"type": "sync", **frame})["code"] == "invalid"
        send(room_id=rooms[0])
        assert socket.expect("message")["pos"] == 1

    def test_must_be_named_in_commands(self, open_socket, alice, rooms):
        socket = open_socket(alice, "chat/")
        assert socket.ask({"type": "message", "content": "x"})["code"] == "invalid"
        answer = socket.ask({"type": "message", "content": "x", "room": rooms[0]})
        assert answer["message"]["room"] == rooms[0]
        refused = socket.ask({"type": "message", "content": "x", "room": 999999999})
        assert (refused["code"], refused["room"]) == ("not_found", 999999999)


class TestWhatIsPersonal:
    def test_is_caught_up_with_user_pos(self, open_socket, alice, bob, carol, open_room, send):
        first = open_room(alice, bob)
        socket = open_socket(bob, "chat/")
        begin = socket.ready["user_pos"]
        second = open_room(carol, bob)
        assert socket.expect("room.added")["user_pos"] == begin + 1
        socket.expect("synced")
        socket.send({"type": "sync", "user_pos": begin, "ref": "a"})
        frames, synced = until_synced(socket)
        assert [(f["type"], f["room"], f["user_pos"]) for f in frames] == [
            ("room.added", second, begin + 1)
        ]
        assert synced == {
            "type": "synced",
            "ref": "a",
            "user_pos": begin + 1,
            "epoch": socket.ready["epoch"],
            "complete": True,
            "more": False,
        }
        socket.send({"type": "sync", "user_pos": begin - 1})
        assert [f["room"] for f in until_synced(socket)[0]] == [first, second]

    def test_is_incomplete_from_a_position_that_is_not_there_yet(self, open_socket, bob):
        socket = open_socket(bob, "chat/")
        socket.send({"type": "sync", "user_pos": 10**6})
        assert until_synced(socket)[1]["complete"] is False


class TestARoomsSocket:
    def test_is_closed_when_its_owner_is_removed(self, open_socket, connect, bob, room, send):
        socket = open_socket(bob, f"chat/{room}/")
        remove_member(room_id=room, user_id=bob.id)
        send()
        assert socket.closed() == 4403
        assert kinds(socket.unheard) == [("member.left", 1)]
        assert connect(bob, room).closed() == 4403
