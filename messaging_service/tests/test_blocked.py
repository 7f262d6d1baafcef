"""Writing to somebody who blocks, or whom one blocks, through both doors; and what else is kept."""

import time

import pytest

from messaging.actions.blocks import block_person, lift_block
from messaging.actions.contacts import request_contact
from messaging.actions.members import add_member
from messaging.actions.presence.chosen import set_presence
from messaging.actions.presence.told import came
from messaging.actions.profiles import know_person
from messaging_service.tests.state import state_of


@pytest.fixture
def block():
    def make(person, other):
        block_person(user_id=person.id, other=know_person(user_id=other.id))

    return make


@pytest.fixture(params=["mine", "his"])
def blocked(request, block, alice, bob):
    """A function that has one of the two block the other."""
    pair = (alice, bob) if request.param == "mine" else (bob, alice)
    return lambda: block(*pair)


class TestWriting:
    def test_is_refused_and_leaves_no_trace(self, door, api, blocked, alice, bob, room):
        first = door.send(alice, room, content="before").message
        blocked()
        before = state_of(room)
        for person in (alice, bob):
            assert door.send(person, room, content="x").code == "blocked"
        assert door.edit(alice, room, first["id"], content="y").code == "blocked"
        assert state_of(room) == before
        [shown] = api.show(bob, f"rooms/{room}/messages/")["results"]
        assert shown == first

    def test_repeated_is_still_recognised(self, door, block, alice, bob, room):
        first = door.send(alice, room, content="x", client_id="a").message
        block(bob, alice)
        again = door.send(alice, room, content="x", client_id="a")
        assert (again.duplicate, again.message) == (True, first)

    def test_goes_on_when_it_is_lifted(self, door, block, alice, bob, room):
        block(alice, bob)
        assert door.send(bob, room, content="x").code == "blocked"
        lift_block(user_id=alice.id, blocked_id=bob.id)
        assert door.send(bob, room, content="x").message["seq"] == 1

    def test_elsewhere_is_no_different(self, door, block, open_room, alice, bob, carol, room):
        other = open_room(alice, carol)
        block(alice, bob)
        assert door.send(alice, other, content="x").message["seq"] == 1

    def test_is_taken_back_and_read_as_ever(self, door, api, block, alice, bob, room):
        sent = door.send(alice, room, content="x").message
        block(bob, alice)
        assert door.delete(alice, room, sent["id"]).message["is_deleted"] is True
        assert door.read(bob, room, seq=1).marker == 1
        assert [each["id"] for each in api.show(bob, "rooms/")["results"]] == [room]

    def test_is_not_told_while_it_is_done(self, socket_door, block, alice, bob, room):
        hearing = socket_door.socket(bob, room)
        block(bob, alice)
        mine = socket_door.socket(alice, room)
        assert mine.ask({"type": "typing", "is_typing": True})["type"] == "ack"
        lift_block(user_id=bob.id, blocked_id=alice.id)
        socket_door.send(alice, room, content="x")
        assert hearing.next()["type"] == "message"


class TestOpening:
    def test_is_refused(self, api, refusal, blocked, alice, bob):
        blocked()
        for person, other in ((alice, bob), (bob, alice)):
            answer = api.post("rooms/", {"participants": [other.id]}, token=person.token)
            refusal(answer, 403, "blocked")
            assert api.show(person, "rooms/")["results"] == []

    def test_gives_what_there_is(self, api, blocked, alice, bob, room):
        blocked()
        answer = api.post("rooms/", {"participants": [bob.id]}, token=alice.token)
        assert (answer.status_code, answer.json()["id"]) == (200, room)


def seen(api, viewer, person):
    """Whether he is shown in each of the three ways to ask."""
    ways = (
        api.get(f"presence/{person.id}/", token=viewer.token).status_code == 200,
        bool(api.show(viewer, f"presence/?user_ids={person.id}")["results"]),
        person.id in [each["user_id"] for each in api.show(viewer, "presence/")["results"]],
    )
    assert len(set(ways)) == 1
    return ways[0]


class TestPresence:
    def test_is_read_of_a_contact(self, api, alice, bob, carol):
        request_contact(user_id=alice.id, other=know_person(user_id=bob.id))
        assert not seen(api, alice, bob)
        request_contact(user_id=bob.id, other=know_person(user_id=alice.id))
        assert (seen(api, alice, bob), seen(api, bob, alice)) == (True, True)
        assert not seen(api, carol, bob)

    def test_is_hidden_from_both(self, api, blocked, alice, bob, room):
        assert (seen(api, alice, bob), seen(api, bob, alice)) == (True, True)
        blocked()
        assert (seen(api, alice, bob), seen(api, bob, alice)) == (False, False)

    def test_is_shown_again(self, api, block, alice, bob, room):
        block(alice, bob)
        lift_block(user_id=alice.id, blocked_id=bob.id)
        assert (seen(api, alice, bob), seen(api, bob, alice)) == (True, True)

    def test_is_not_told_live_but_to_the_others(
        self, enter, blocked, open_room, alice, bob, carol, room
    ):
        """Carol is in the room, too, and hears of everybody what there is."""
        add_member(room_id=room, user_id=carol.id)
        blocked()
        mine, his, hers = (enter(person, room) for person in (alice, bob, carol))
        for person, status in ((alice, "busy"), (bob, "away")):
            set_presence(user_id=person.id, status=status, is_here=True)
            set_presence(user_id=person.id, custom_status="Lunch")
        told = {}
        for socket in (mine, his, hers):
            heard = told[socket] = []
            # What carol says comes after all that.
            set_presence(user_id=carol.id, custom_status=f"mark {id(socket)}")
            while (frame := socket.expect("presence"))["custom_status"] != f"mark {id(socket)}":
                heard.append((frame["user_id"], frame["custom_status"]))
        assert {user_id for user_id, _ in told[mine]} == {alice.id, carol.id}
        assert {user_id for user_id, _ in told[his]} == {bob.id, carol.id}
        assert {(alice.id, "Lunch"), (bob.id, "Lunch")} <= set(told[hers])

    def test_ends_and_comes_back_before_the_eyes_of_both(self, enter, block, alice, bob, room):
        mine, his = enter(alice, room), enter(bob, room)
        for person in (alice, bob):
            set_presence(user_id=person.id, status="busy", custom_status="Lunch", is_here=True)

        def sees(socket, person, status):
            while (told := socket.expect("presence"))["user_id"] != person.id or (
                told["status"],
                told["custom_status"],
            ) != status:
                pass
            return told

        block(alice, bob)
        for socket, person in ((mine, bob), (his, alice)):
            told = sees(socket, person, ("offline", None))
            assert (told["last_seen"], told["total_online_time"]) == (None, 0)
        lift_block(user_id=alice.id, blocked_id=bob.id)
        for socket, person in ((mine, bob), (his, alice)):
            sees(socket, person, ("busy", "Lunch"))

    def test_is_not_told_to_who_comes(self, connect, block, alice, bob, room):
        came([alice.id, bob.id])
        block(alice, bob)
        for person in (alice, bob):
            socket = connect(person, room)
            socket.expect("ready")
            socket.ask({"type": "ping"})
            time.sleep(0.05)
            assert {each["user_id"] for each in socket.presence} <= {person.id}
