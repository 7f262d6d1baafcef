"""The life of a socket: what it is told first, and how it ends."""

import time
from datetime import UTC, datetime

import pytest

from messaging.models import Epoch, Profile
from messaging_service.tests.sockets import Socket
from service_kit.testing import token_for


class TestReady:
    def test_is_the_first_frame_and_says_where_the_room_stands(
        self, socket_door, connect, alice, bob, room
    ):
        for number in range(3):
            socket_door.send(alice, room, content=str(number))
            # Acknowledged comes first: heard, it has reached everybody in this process.
            socket_door.socket(alice, room).expect("message")
        began = datetime.now(UTC)
        ready = connect(bob, room).next()
        moment = datetime.fromisoformat(ready.pop("server_time"))
        assert began <= moment <= datetime.now(UTC)
        assert ready == {
            "type": "ready",
            "protocol": "parley.v1",
            "user_id": bob.id,
            "session": f"session-{bob.id}",
            "epoch": str(Epoch.objects.get().value),
            "user_pos": 1,
            "heartbeat": 25,
            "rooms": [{"room": room, "pos": 3, "seq": 3, "last_read_seq": 0}],
            "more": False,
        }

    def test_says_what_the_reader_has_read_and_how_far_he_has_come(
        self, socket_door, connect, alice, room
    ):
        socket_door.send(alice, room, content="my own, so read")
        Profile.objects.filter(pk=alice.id).update(pos=7)
        ready = connect(alice, room).next()
        assert ready["rooms"][0]["last_read_seq"] == 1
        assert ready["user_pos"] == 7

    def test_speaks_of_the_epoch_history_speaks_of(self, api, connect, alice, room):
        history = api.get(f"rooms/{room}/messages/", token=alice.token).json()
        assert connect(alice, room).next()["epoch"] == history["epoch"]

    def test_lets_messaging_know_somebody_new(self, connect, open_room, make_person, alice):
        new = make_person("newcomer")
        room = open_room(alice, new)
        Profile.objects.filter(pk=new.id).update(username="an-old-name")
        connect(new, room).expect("ready")
        assert Profile.objects.get(pk=new.id).username == new.username

    def test_is_followed_by_what_comes_after_it_and_nothing_before(
        self, socket_door, connect, alice, bob, room
    ):
        socket_door.send(alice, room, content="before")
        socket_door.socket(alice, room).expect("message")
        late = connect(bob, room)
        pos = late.next()["rooms"][0]["pos"]
        socket_door.send(alice, room, content="after")
        assert (late.next()["pos"], pos) == (2, 1)


class TestRefusedSocket:
    def test_is_told_of_a_room_that_is_not_his(self, connect, carol, room):
        assert connect(carol, room).closed() == 4403

    @pytest.mark.parametrize("room_id", [0, 999_999_999, 2**63 - 1, 2**63, "9" * 19])
    def test_is_told_of_no_room_in_the_same_words(self, connect, carol, room, room_id):
        stranger, nowhere = connect(carol, room), connect(carol, room_id)
        assert (nowhere.closed(), stranger.closed()) == (4403, 4403)
        assert nowhere.link.close_reason == stranger.link.close_reason

    def test_hears_nothing_before_it_is_closed(self, socket_door, connect, alice, carol, room):
        stranger = connect(carol, room)
        socket_door.send(alice, room, content="not for carol")
        assert stranger.closed() == 4403
        assert stranger.unheard == []

    @pytest.mark.parametrize(
        "path",
        [
            *("/", "/ws/", "/ws/chat", "/ws/chat/{room}", "/ws/chat//", "/ws/chat/-1/"),
            *("/ws/chat/1e3/", "/ws/chat/{room}/x/", "/ws/chat/%00/", "/ws/chat/%ff/"),
            *("/ws/chat/" + "9" * 20 + "/", "/ws/rooms/{room}/", "/ws/chat/٣/", "/api/chat/rooms/"),
        ],
    )
    def test_is_told_of_an_unknown_path(self, socket_server, alice, room, path):
        address = f"{socket_server.address}{path.format(room=room)}?token={alice.token}"
        with Socket(address.replace("٣", "%D9%A3")) as socket:
            assert socket.closed() == 4400


class TestExpiringSocket:
    def test_ends_with_its_token(self, socket_server, alice, room):
        # Already inside the leeway, of which a second or two is left.
        token = token_for(alice.id, username=alice.username, name="Alice", expires_in=-28)
        with Socket(f"{socket_server.address}/ws/chat/{room}/?token={token}") as socket:
            began = time.monotonic()
            assert socket.next()["type"] == "ready"
            assert socket.ask({"type": "ping"})["type"] == "pong"
            assert socket.closed(within=4) == 4401
            assert 0.5 < time.monotonic() - began < 3.5


class TestClosedSocket:
    def test_leaves_the_others_alone(self, socket_door, enter, alice, bob, room):
        first, second = enter(alice, room), enter(alice, room)
        first.close()
        message = socket_door.send(bob, room, content="still there?").message
        assert second.expect("message")["id"] == message["id"]


class TestServer:
    def test_negotiates_no_compression(self, enter, alice, room):
        # The client offers it; a shared frame cannot be compressed for each.
        assert enter(alice, room).link.protocol.extensions == []

    def test_writes_no_token_into_its_log(self, socket_server, connect, alice, carol, room):
        connect(alice, room).expect("ready")
        connect(carol, room).closed()
        assert alice.token not in socket_server.log
        assert carol.token not in socket_server.log
        assert "token=" not in socket_server.log
