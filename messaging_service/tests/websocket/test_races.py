"""Races a client or a hub may lose, each as a story of its own, through real sockets."""

import json
import time

import pytest
from django.conf import settings
from redis import Redis

from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import send_message
from messaging.models import Member, Room
from messaging.serializers.messages import new_message
from messaging_service.tests.doorbell import Doorbell, Fate
from messaging_service.tests.engines import frozen
from messaging_service.tests.filling import fill
from messaging_service.tests.sockets import Socket

MANY_ROOMS = 1_000
CATCH_UP_SECONDS = 5.0


@pytest.fixture
def doorbell():
    """Nothing this process does is told until the test says so."""
    doorbell = Doorbell()
    with doorbell.installed():
        yield doorbell


@pytest.fixture
def listen(socket_server):
    """Open a socket of every room; it is closed after the test."""
    opened = []

    def open_socket(person, query="", *, path="/ws/chat/", server=socket_server):
        socket = Socket(f"{server.address}{path}?token={person.token}{query}")
        opened.append(socket)
        socket.ready = socket.expect("ready")
        return socket

    yield open_socket
    for socket in opened:
        socket.close()


def say(person, room, content="Hello"):
    new = new_message({"content": content}, room_id=room)
    return json.loads(send_message(sender_id=person.id, room_id=room, message=new).text)


def told_until_pong(socket):
    """What is told up to now: types and positions, of the room's durable events."""
    socket.ask({"type": "ping"})
    told, socket.unheard = socket.unheard, []
    return [(each["type"], each["pos"]) for each in told if "pos" in each]


def history_of(api, person, room):
    return api.get(f"rooms/{room}/messages/", token=person.token).json()


class TestSync:
    def test_may_be_asked_for_while_live_frames_come(self, listen, alice, bob, room):
        first = say(alice, room)
        socket = listen(bob)
        live = say(alice, room)
        assert socket.expect("message")["pos"] == live["pos"]
        socket.send({"type": "sync", "rooms": {str(room): first["pos"] - 1}, "ref": "s"})
        later = say(alice, room)
        synced = socket.expect("synced")
        told = [pos for _, pos in told_until_pong(socket)]
        # All of it in order; what came meanwhile before it or after, as a client keeps one of each.
        assert [pos for pos in told if pos != later["pos"]] == [1, 2]
        assert told.count(later["pos"]) in {1, 2}
        assert synced["pos"] in {live["pos"], later["pos"]}

    @pytest.mark.parametrize("after", [{"epoch": "of-another-database"}, {"ahead": 5}])
    def test_from_before_a_restore_is_not_complete(self, listen, alice, bob, room, after):
        say(alice, room)
        socket = listen(bob)
        asked = {"type": "sync", "rooms": {str(room): 1 + after.pop("ahead", 0)}} | after
        synced = socket.ask(asked)
        assert (synced["complete"], synced["pos"]) == (False, 1)
        say(alice, room, "and live from there")
        assert socket.expect("message")["pos"] == 2

    def test_of_a_thousand_rooms_is_one_command(self, listen, alice):
        rooms = many_rooms(alice)
        socket = listen(alice)
        assert (len(socket.ready["rooms"]), socket.ready["more"]) == (200, True)
        began = time.monotonic()
        socket.send({"type": "sync", "rooms": dict.fromkeys(map(str, rooms), 0), "ref": "all"})
        synced = [socket.expect("synced") for _ in rooms]
        assert time.monotonic() - began < CATCH_UP_SECONDS
        assert {each["room"] for each in synced} == set(rooms)
        assert all(each["pos"] == 1 and each["ref"] == "all" for each in synced)
        messages = [each for each in socket.unheard if each["type"] == "message"]
        assert sorted(each["room"] for each in messages) == sorted(rooms)


class TestAck:
    def test_may_be_ahead_of_what_was_told(self, listen, doorbell, alice, bob, room):
        socket = listen(bob)
        lost = say(alice, room, "lost on its way")
        doorbell.decide([Fate.LOST])
        command = {"type": "message", "room": room, "content": "mine"}
        ack = socket.ask(command)
        assert ack["message"]["pos"] == lost["pos"] + 1
        told = [socket.expect("message") for _ in range(2)]
        assert [each["id"] for each in told] == [lost["id"], ack["message"]["id"]]


class TestMemberAndMessage:
    def test_of_one_moment_are_both_told(self, listen, doorbell, alice, bob, carol, room):
        socket = listen(bob)
        add_member(room_id=room, user_id=carol.id)
        doorbell.decide([Fate.LOST])
        message = say(carol, room, "just came in")
        doorbell.decide([Fate.TOLD])
        assert socket.expect("member.joined")["user_id"] == carol.id
        assert socket.expect("message")["id"] == message["id"]

    def test_are_told_in_order_when_they_cross(self, listen, doorbell, alice, bob, carol, room):
        socket = listen(bob)
        add_member(room_id=room, user_id=carol.id)
        doorbell.decide([Fate.LATE])
        say(carol, room)
        doorbell.decide([Fate.TOLD])
        doorbell.tell_late()
        assert [pos for _, pos in told_after(socket, 2)] == [1, 2]


class TestRemovedPerson:
    @pytest.fixture(params=["told", "missed"])
    def fates(self, request):
        return [Fate.TOLD if request.param == "told" else Fate.LOST]

    def test_hears_that_and_nothing_later(self, listen, doorbell, fates, alice, bob, room):
        socket = listen(bob)
        remove_member(room_id=room, user_id=bob.id)
        doorbell.decide(fates)
        say(alice, room, "not for bob")
        doorbell.decide([Fate.TOLD])
        assert socket.expect("member.left")["user_id"] == bob.id
        time.sleep(2.5)
        assert told_until_pong(socket) == []
        refused = socket.ask({"type": "message", "room": room, "content": "Let me in"})
        assert refused["code"] == "not_found"

    def test_cannot_catch_up(self, listen, alice, bob, room):
        say(alice, room, "before")
        socket = listen(bob)
        remove_member(room_id=room, user_id=bob.id)
        socket.expect("member.left")
        refused = socket.ask({"type": "sync", "rooms": {str(room): 0}})
        assert (refused["code"], refused["room"]) == ("not_found", room)
        assert told_until_pong(socket) == []

    def test_who_was_added_again_unnoticed_starts_over(
        self, listen, socket_server, doorbell, api, alice, bob, room
    ):
        socket = listen(bob)
        say(alice, room, "before")
        doorbell.decide([Fate.TOLD])
        socket.expect("message")
        with frozen(socket_server):
            remove_member(room_id=room, user_id=bob.id)
            doorbell.decide([Fate.LOST])
            say(alice, room, "between")
            doorbell.decide([Fate.LOST])
            add_member(room_id=room, user_id=bob.id)
            doorbell.decide([Fate.LOST])
        # Whichever the audit finds first, the room's changes or his own: both start him over.
        while (frame := socket.expect("synced", "room.added"))["type"] == "synced":
            if not frame["complete"]:
                break
        assert history_of(api, bob, room)["results"] == []
        after = say(alice, room, "after")
        doorbell.decide([Fate.TOLD])
        assert socket.expect("message")["id"] == after["id"]
        assert "between" not in json.dumps(socket.unheard)

    def test_who_was_added_again_is_told_everything_once(self, listen, doorbell, alice, bob, room):
        socket = listen(bob)
        remove_member(room_id=room, user_id=bob.id)
        doorbell.decide([Fate.LOST])
        add_member(room_id=room, user_id=bob.id)
        doorbell.decide([Fate.LOST, Fate.TOLD])
        socket.expect("room.added")
        time.sleep(2.5)
        told_until_pong(socket)
        after = say(alice, room)
        doorbell.decide([Fate.TOLD])
        assert socket.expect("message")["id"] == after["id"]
        assert told_until_pong(socket) == []


class TestLostRedis:
    def test_is_repaired_at_once_when_it_returns(self, listen, doorbell, alice, bob, room):
        socket = listen(bob)
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        message = say(alice, room)
        doorbell.decide([Fate.LOST])
        assert socket.expect("message")["id"] == message["id"]


def told_after(socket, number):
    return [
        (frame["type"], frame["pos"])
        for frame in [socket.expect("message", "member.joined") for _ in range(number)]
    ]


def many_rooms(person):
    """Rooms of one person, with a message in each."""
    rooms = Room.objects.bulk_create(
        Room(
            room_type="direct",
            participant_a=person.id,
            participant_b=f"{person.id}-{number}",
            created_by_id=person.id,
        )
        for number in range(MANY_ROOMS)
    )
    Member.objects.bulk_create(Member(room=room, user_id=person.id) for room in rooms)
    for room in rooms:
        fill(room.pk, person.id)
    return [room.pk for room in rooms]
