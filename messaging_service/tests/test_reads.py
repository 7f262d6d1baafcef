"""Read markers through both doors: how far they move, who is told, and what is unread."""

import pytest

from messaging.actions.members import add_member, remove_member
from messaging.events import room_channel, user_channel
from messaging.models import Member, Message, Profile, Room
from messaging_service.tests.telling import told_on


def marker(room, person):
    member = Member.objects.get(room_id=room, user_id=person.id)
    return member.last_read_seq, member.read_at, member.user_pos


@pytest.fixture
def sent(door, alice, room):
    """Three messages of alice."""
    return [door.send(alice, room, content=str(number)).message for number in range(3)]


@pytest.fixture
def nothing_moved(room, bob):
    """Assert that an act moves nothing of bob's, and tells neither him nor the room."""

    def watch(act):
        before = marker(room, bob), Profile.objects.get(pk=bob.id).pos
        for channel in (room_channel(room), user_channel(bob.id)):
            assert told_on(channel, act) == []
        assert (marker(room, bob), Profile.objects.get(pk=bob.id).pos) == before

    return watch


class TestRead:
    @pytest.mark.parametrize("seq", [1, 2, 3])
    def test_moves_the_marker(self, door, bob, room, sent, seq):
        assert door.read(bob, room, seq=seq).marker == seq
        last_read_seq, read_at, user_pos = marker(room, bob)
        assert last_read_seq == seq
        assert read_at >= Message.objects.get(pk=sent[-1]["id"]).timestamp
        assert user_pos == Profile.objects.get(pk=bob.id).pos == 2
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (3, 3)

    @pytest.mark.parametrize("seq", [4, 10**6, 2**63, 2**64 - 1])
    def test_beyond_the_last_message_is_as_far_as_it(self, door, bob, room, sent, seq):
        assert door.read(bob, room, seq=seq).marker == 3
        assert marker(room, bob)[0] == 3

    def test_is_told_to_both(self, door, enter, alice, bob, room, sent):
        hearing = [enter(alice, room), enter(bob, room)]
        door.read(bob, room, seq=2)
        for socket in hearing:
            assert socket.expect("read") == {
                "type": "read",
                "room": room,
                "user_id": bob.id,
                "username": bob.username,
                "seq": 2,
            }

    def test_is_told_to_the_other_devices(self, door, bob, room, sent):
        told = told_on(user_channel(bob.id), lambda: door.read(bob, room, seq=1), at_least=2)
        changed = {"type": "me.changed", "user_pos": 2, "room": room, "last_read_seq": 1}
        counts = {"unread_count": 2, "mention_count": 0, "total": 2}
        assert told == [(2, changed), (0, {"type": "unread", "room": room} | counts)]

    def test_counts_what_is_unread_elsewhere_too(
        self, door, open_room, make_person, bob, room, sent
    ):
        friend = make_person("friend")
        other = open_room(friend, bob)
        door.send(friend, other, content="x")
        [_, (_, told)] = told_on(
            user_channel(bob.id), lambda: door.read(bob, room, seq=3), at_least=2
        )
        assert (told["room"], told["unread_count"], told["total"]) == (room, 0, 1)

    @pytest.mark.parametrize("seq", [0, 1, 2])
    def test_never_moves_back(self, door, nothing_moved, bob, room, sent, seq):
        door.read(bob, room, seq=2)
        nothing_moved(lambda: door.read(bob, room, seq=seq))
        assert door.read(bob, room, seq=seq).marker == 2

    def test_in_an_empty_room_moves_nothing(self, door, nothing_moved, bob, room):
        nothing_moved(lambda: door.read(bob, room, seq=1))
        assert door.read(bob, room, seq=1).marker == 0

    @pytest.mark.parametrize("seq", [-1, "x", "", None, 1.5, True, [], {}])
    def test_needs_a_place(self, door, nothing_moved, bob, room, sent, seq):
        def ask():
            answer = door.read(bob, room, seq=seq)
            assert (answer.code, answer.fields) == ("invalid", ["seq"])

        nothing_moved(ask)

    def test_by_who_left_is_refused(self, door, nothing_moved, bob, room, sent):
        door.read(bob, room, seq=1)

        def ask():
            mine = Member.objects.filter(room_id=room, user_id=bob.id)
            mine.update(left_pos=3)
            assert door.read(bob, room, seq=3).code == "not_found"
            mine.update(left_pos=None)

        nothing_moved(ask)


class TestReadInALargeRoom:
    @pytest.fixture
    def fill(self, room):
        """Let so many people be in the room."""

        def fill(number):
            have = Member.objects.filter(room_id=room).count()
            ids = [f"{room}-{each}" for each in range(number - have)]
            Profile.objects.bulk_create([Profile(user_id=id_, username=id_) for id_ in ids])
            Member.objects.bulk_create([Member(room_id=room, user_id=id_) for id_ in ids])

        return fill

    @pytest.mark.parametrize(("number", "is_told"), [(100, True), (101, False)])
    def test_is_told_to_others_up_to_a_hundred(self, door, fill, bob, room, sent, number, is_told):
        fill(number)
        told = told_on(
            room_channel(room), lambda: door.read(bob, room, seq=3), at_least=int(is_told)
        )
        assert [each["type"] for _, each in told] == ["read"] * is_told
        assert marker(room, bob)[0] == 3

    def test_is_not_told_of_who_left(self, door, fill, bob, room, sent):
        fill(101)
        Member.objects.filter(room_id=room, user_id=f"{room}-0").update(left_pos=3)
        told = told_on(room_channel(room), lambda: door.read(bob, room, seq=3), at_least=1)
        assert [each["type"] for _, each in told] == ["read"]

    @pytest.mark.parametrize(("number", "is_told"), [(500, True), (501, False)])
    def test_typing_is_told_up_to_five_hundred(
        self, socket_door, fill, alice, bob, room, number, is_told
    ):
        fill(number)
        socket = socket_door.socket(bob, room)

        def ask():
            assert socket.ask({"type": "typing", "is_typing": True})["type"] == "ack"

        told = told_on(room_channel(room), ask, at_least=int(is_told))
        assert [each["type"] for _, each in told] == ["typing"] * is_told


class TestReadsAtOnce:
    def test_end_at_the_furthest(self, api, together, alice, bob, room):
        for number in range(8):
            api.post(f"rooms/{room}/messages/", {"content": str(number)}, token=alice.token)

        def act(number):
            body = {"room": room, "seq": number + 1}
            return api.post("reads/", body, token=bob.token).json()["seq"]

        told = together(8, act)
        assert all(seq >= number + 1 for number, seq in enumerate(told))
        seq, _, user_pos = marker(room, bob)
        assert (seq, user_pos) == (8, Profile.objects.get(pk=bob.id).pos)
        assert 2 <= user_pos <= 9

    def test_and_ones_own_sends_leave_the_marker_where_both_say(
        self, api, door, together, alice, bob, room
    ):
        def act(number):
            if number % 2:
                api.post(f"rooms/{room}/messages/", {"content": "x"}, token=bob.token)
            else:
                body = {"room": room, "seq": 10**6}
                api.post("reads/", body, token=bob.token)

        together(8, act)
        assert marker(room, bob)[0] == 4

    def test_and_a_removal_end_with_the_removal(self, api, together, alice, bob, room):
        api.post(f"rooms/{room}/messages/", {"content": "x"}, token=alice.token)

        def act(number):
            if number:
                body = {"room": room, "seq": 1}
                return api.post("reads/", body, token=bob.token).status_code
            return remove_member(room_id=room, user_id=bob.id)

        assert set(together(6, act)[1:]) <= {200, 404}
        body = {"room": room, "seq": 1}
        assert api.post("reads/", body, token=bob.token).status_code == 404
        add_member(room_id=room, user_id=bob.id)
        assert api.post("reads/", body, token=bob.token).json()["seq"] == 1


class TestMarkerOfWhoSends:
    def test_says_when_it_moved(self, door, alice, bob, room):
        message = door.send(alice, room, content="x").message
        seq, read_at, user_pos = marker(room, alice)
        assert seq == 1
        assert read_at >= Message.objects.get(pk=message["id"]).timestamp
        assert user_pos == Profile.objects.get(pk=alice.id).pos == 1
        assert marker(room, bob)[:2] == (0, None)
