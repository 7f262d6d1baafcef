"""What clients may send over a socket, and what answers it."""

import json

import pytest
from websockets.frames import Frame, Opcode

from messaging.models import Member, Message
from messaging_service.tests.doors import SocketDoor


@pytest.fixture
def socket(enter, alice, room):
    return enter(alice, room)


@pytest.fixture
def door(socket_door):
    """For `untouched`: what is told after these commands is told by the same process."""
    assert isinstance(socket_door, SocketDoor)
    return socket_door


class TestRef:
    @pytest.mark.parametrize("ref", ["", "1", "x" * 64, "é" * 64, "👋", " "])
    def test_comes_back_with_the_ack(self, socket, ref):
        socket.send({"type": "message", "content": "x", "ref": ref})
        ack = socket.expect("ack")
        assert (ack.keys(), ack["ref"]) == ({"type", "ref", "duplicate", "message"}, ref)

    @pytest.mark.parametrize("ref", ["x" * 65, 1, True, [], {}, 1.5])
    def test_is_a_string_of_64_characters(self, socket, untouched, ref):
        with untouched():
            socket.send({"type": "message", "content": "x", "ref": ref})
            error = socket.expect("error")
            assert (error["code"], "ref" in error) == ("invalid", False)

    def test_may_be_left_out_and_then_there_is_no_ack(self, socket):
        socket.send({"type": "message", "content": "x"})
        socket.send({"type": "typing", "is_typing": True})
        assert socket.expect("message")["content"] == "x"
        socket.send({"type": "ping"})
        assert socket.next()["type"] == "pong"

    def test_may_be_null_for_none(self, socket):
        socket.send({"type": "ping", "ref": None})
        assert "ref" not in socket.expect("pong")

    def test_comes_back_with_a_refusal(self, socket, untouched, room):
        with untouched():
            error = socket.ask({"type": "message", "content": ""})
            assert error == {
                "type": "error",
                "ref": error["ref"],
                "room": room,
                "code": "invalid",
                "detail": "This may not be blank.",
                "errors": [
                    {"field": "content", "code": "blank", "detail": "This may not be blank."}
                ],
            }

    def test_is_missing_from_a_refusal_without_one(self, socket, room):
        socket.send({"type": "message", "content": ""})
        error = socket.expect("error")
        assert ("ref" in error, error["room"]) == (False, room)


class TestUnknownCommand:
    @pytest.mark.parametrize(
        "kind", ["", "MESSAGE", "message ", "message.explode", "__class__", None, 1, [], {}, True]
    )
    def test_is_refused(self, socket, untouched, kind):
        with untouched():
            assert socket.ask({"type": kind, "content": "x"})["code"] == "unknown_command"

    def test_is_what_has_no_type(self, socket):
        assert socket.ask({"is_typing": True})["code"] == "unknown_command"


class TestRoomOfACommand:
    def test_may_be_given_in_either_form(self, socket, room):
        for form in (room, str(room)):
            answer = socket.ask({"type": "message", "content": "x", "room": form})
            assert answer["message"]["room"] == room

    @pytest.mark.parametrize("form", ["other", None, 0, -1, "", 1.5, [], {}, 2**70, True])
    def test_is_refused_if_it_is_another(self, socket, untouched, open_room, alice, carol, form):
        other = open_room(alice, carol) if form == "other" else form
        with untouched():
            answer = socket.ask({"type": "message", "content": "x", "room": other})
            assert answer["code"] == "invalid"
            assert not Message.objects.filter(room_id=other if form == "other" else 0).exists()


class TestRefusedCommand:
    def test_keeps_the_socket_open(self, socket):
        for frame in ['{"type":', "[]", {"type": "no"}, {"type": "message"}, {"type": "typing"}]:
            socket.send(frame)
            assert socket.expect("error")["code"] in {"invalid", "unknown_command"}
        assert socket.ask({"type": "message", "content": "still here"})["type"] == "ack"

    def test_may_be_binary(self, socket, untouched):
        with untouched():
            socket.link.send(b'{"type":"message","content":"x"}')
            assert socket.expect("error")["code"] == "invalid"
        assert socket.ask({"type": "ping"})["type"] == "pong"

    def test_answers_in_the_order_of_the_commands(self, socket):
        for number in range(20):
            socket.send({"type": "no such thing", "ref": str(number)})
        assert [socket.expect("error")["ref"] for _ in range(20)] == [str(n) for n in range(20)]


class TestFrame:
    @pytest.mark.not_under_daphne("it cuts the connection instead: 1006")
    def test_of_64_kib_and_a_byte_closes_the_socket(self, socket, untouched):
        with untouched():
            socket.send(json.dumps({"type": "message", "content": "x"}).ljust(64 * 1024 + 1))
            assert socket.closed() == 1009

    @pytest.mark.not_under_daphne("it cuts the connection instead: 1006")
    def test_in_pieces_of_more_than_that_closes_it_too(self, socket, untouched):
        """Not one byte after that: what nobody reads any more would cut the connection."""
        first, rest = (
            Frame(Opcode.TEXT, b"{", fin=False),
            Frame(Opcode.CONT, b" " * 1_000, fin=False),
        )
        pieces = [first, *[rest] * 66]
        with untouched():
            for piece in pieces:
                socket.link.socket.sendall(piece.serialize(mask=True))
            assert socket.closed() == 1009

    def test_in_pieces_is_one_command(self, socket):
        socket.link.send(iter(['{"type":"mess', 'age","content":"in pi', 'eces"}']))
        assert socket.expect("message")["content"] == "in pieces"

    @pytest.mark.not_under_daphne("it cuts the connection instead: 1006")
    @pytest.mark.parametrize(
        "raw", [b'{"type":"message","content":"\xff"}', b'{"content":"\xed\xa0\x80"}', b"\xc0\xaf"]
    )
    def test_that_is_not_utf_8_closes_the_socket(self, socket, untouched, raw):
        with untouched():
            socket.send(raw)
            assert socket.closed() == 1007

    def test_that_is_empty_is_refused(self, socket):
        socket.send("")
        assert socket.expect("error")["code"] == "invalid"


class TestPing:
    def test_is_answered_with_where_the_room_stands(self, socket, room):
        assert socket.ask({"type": "ping"}) == {"type": "pong", "ref": "ask-1", "pos": 0}
        socket.ask({"type": "message", "content": "x"})
        socket.expect("message")
        socket.send({"type": "ping"})
        assert socket.expect("pong") == {"type": "pong", "pos": 1}

    def test_by_the_protocol_is_answered_too(self, socket):
        assert socket.link.ping().wait(5)


class TestTyping:
    @pytest.mark.parametrize("is_typing", [True, False])
    def test_is_told_to_the_other_and_not_to_its_author(
        self, socket, enter, other_socket_server, alice, bob, room, is_typing
    ):
        second = enter(alice, room, server=other_socket_server)
        hearing = [enter(bob, room), enter(bob, room, server=other_socket_server)]
        assert socket.ask({"type": "typing", "is_typing": is_typing})["type"] == "ack"
        for opened in hearing:
            assert opened.next() == {
                "type": "typing",
                "room": room,
                "user_id": alice.id,
                "username": alice.username,
                "is_typing": is_typing,
            }
        # Not on his other device either: the next thing he hears is what comes after.
        socket.ask({"type": "message", "content": "done"})
        assert socket.next()["type"] == second.next()["type"] == "message"

    def test_stores_nothing(self, socket, enter, bob, room):
        hearing = enter(bob, room)
        socket.ask({"type": "typing", "is_typing": True})
        hearing.expect("typing")
        assert not Message.objects.filter(room_id=room).exists()
        assert hearing.ask({"type": "ping"})["pos"] == 0

    @pytest.mark.parametrize("is_typing", [None, "perhaps", 2, [], {}])
    def test_is_yes_or_no(self, socket, untouched, is_typing):
        with untouched():
            error = socket.ask({"type": "typing", "is_typing": is_typing})
            assert error["code"] == "invalid"
            assert error["errors"][0]["field"] == "is_typing"

    def test_by_somebody_who_left_is_refused(self, socket, untouched, alice, room):
        mine = Member.objects.filter(room_id=room, user_id=alice.id)
        with untouched():
            mine.update(left_pos=0)
            assert socket.ask({"type": "typing", "is_typing": True})["code"] == "not_found"
            mine.update(left_pos=None)


class TestManySends:
    def test_of_one_socket_are_stored_and_told_in_their_order(
        self, socket, enter, other_socket_server, bob, room
    ):
        hearing = [socket, enter(bob, room), enter(bob, room, server=other_socket_server)]
        for number in range(200):
            socket.send({"type": "message", "content": str(number), "ref": str(number)})
        acks = [socket.expect("ack") for _ in range(200)]
        assert [ack["ref"] for ack in acks] == [str(number) for number in range(200)]
        assert [ack["message"]["seq"] for ack in acks] == list(range(1, 201))
        events = [{"type": "message"} | ack["message"] for ack in acks]
        for opened in hearing:
            assert [opened.expect("message") for _ in range(200)] == events

    def test_of_many_sockets_are_one_order_for_all(self, enter, socket_servers, alice, bob, room):
        sockets = [
            enter(person, room, server=server)
            for person in (alice, bob)
            for server in socket_servers
        ]
        for number in range(25):
            for opened in sockets:
                opened.send({"type": "message", "content": str(number)})
        heard = [[opened.expect("message") for _ in range(100)] for opened in sockets]
        assert [event["pos"] for event in heard[0]] == list(range(1, 101))
        assert heard[0] == heard[1] == heard[2] == heard[3]
