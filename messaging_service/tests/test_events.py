"""What is told is enough: an earlier snapshot with an action's events is a fresh snapshot."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.replica import Room
from messaging.actions.blocks import block_person, lift_block
from messaging.actions.contacts import (
    accept_contact,
    decline_contact,
    end_contact,
    request_contact,
)
from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import delete_message, edit_message, send_message
from messaging.actions.presence.chosen import set_presence
from messaging.actions.profiles import know_person, remember_caller
from messaging.actions.reads import mark_read
from messaging.actions.rooms import open_direct_room
from messaging.models import Epoch
from messaging.serializers.messages import new_message
from messaging_service.tests.marked import Marked, Ties
from messaging_service.tests.sockets import Socket
from service_kit.testing import token_for
from service_kit.tokens import verify


@dataclass
class Stage:
    """A room of alice and bob with two messages of bob's, and carol outside.

    Bob has asked carol to become his contact.
    """

    alice: object
    bob: object
    carol: object
    room: int
    first: int
    last: int
    request: int


@pytest.fixture
def stage(alice, bob, carol, room):
    first, last = (say(bob, room).row.id for _ in range(2))
    request = request_contact(user_id=bob.id, other=know_person(user_id=carol.id)).contact
    return Stage(alice, bob, carol, room, first, last, request.pk)


def say(person, room):
    message = new_message({"content": "Hello"}, room_id=room)
    return send_message(sender_id=person.id, room_id=room, message=message)


@pytest.fixture
def look(api):
    """Everything somebody may see now, read over HTTP."""

    def fetch(person, replica):
        for room_id, room in replica.rooms.items():
            if not room.loaded:
                history = api.show(person, f"rooms/{room_id}/messages/")["results"]
                room.load(api.show(person, f"rooms/{room_id}/"), history)

    def look(person):
        rooms = api.show(person, "rooms/")["results"]
        replica = Marked(
            user_id=person.id,
            epoch=str(Epoch.objects.get().value),
            user_pos=api.show(person, "me/changes/?after=0")["pos"],
            rooms={room["id"]: Room(room["pos"], behind=False) for room in rooms},
            user_behind=False,
            ties=Ties(
                {each["id"]: each for each in api.show(person, "contacts/")["results"]},
                {each["user_id"]: each for each in api.show(person, "blocks/")["results"]},
            ),
        )
        fetch(person, replica)
        return replica

    look.fetch = fetch
    return look


def view(replica):
    """What is compared: the rooms with all that is in them, one's ties, and where one stands."""
    rooms = {
        room_id: (room.pos, replica.people(room_id), room.messages, room.reads)
        for room_id, room in replica.rooms.items()
    }
    return replica.user_pos, rooms, replica.ties


@pytest.fixture
def listen(socket_server):
    opened = []

    def open_socket(person):
        socket = Socket(f"{socket_server.address}/ws/chat/?token={person.token}")
        opened.append(socket)
        socket.expect("ready")
        return socket

    yield open_socket
    for socket in opened:
        socket.close()


@pytest.fixture
def verify_action(look, listen):
    """Do something, and hold what its viewer was told against what he would read."""

    def check(viewer, act, kinds):
        socket, before = listen(viewer), look(viewer)
        act()
        frames = [socket.expect(kind) for kind in kinds]
        socket.ask({"type": "ping"})
        passing = {"presence", "synced"}
        assert [each for each in socket.unheard if each["type"] not in passing] == []
        for frame in sorted(frames, key=lambda frame: "user_pos" not in frame):
            before.apply(frame)
        look.fetch(viewer, before)
        after = look(viewer)
        assert view(before) == view(after)
        return frames

    return check


def edit(stage):
    edit_message(user_id=stage.bob.id, message_id=stage.first, content="Hello again")


def delete(stage):
    delete_message(user_id=stage.bob.id, message_id=stage.last)


def open_room(stage):
    open_direct_room(caller_id=stage.carol.id, other=know_person(user_id=stage.alice.id))


def add(stage):
    add_member(room_id=stage.room, user_id=stage.carol.id)


def remove(stage):
    remove_member(room_id=stage.room, user_id=stage.bob.id)


def read(stage):
    mark_read(user_id=stage.alice.id, room_id=stage.room, seq=2)


def ask(stage):
    request_contact(user_id=stage.carol.id, other=know_person(user_id=stage.alice.id))


def accept(stage):
    accept_contact(user_id=stage.carol.id, contact_id=stage.request)


def decline(stage):
    decline_contact(user_id=stage.carol.id, contact_id=stage.request)


def end(stage):
    end_contact(user_id=stage.bob.id, contact_id=stage.request)


def block(stage):
    block_person(user_id=stage.carol.id, other=know_person(user_id=stage.bob.id))


def unblock(stage):
    block(stage)
    lift_block(user_id=stage.carol.id, blocked_id=stage.bob.id)


def rename(stage):
    token = token_for(stage.bob.id, username=f"{stage.bob.username}-2", name="Robert")
    remember_caller(claims=verify(token))


ACTS: list[tuple[Callable, str, list[str]]] = [
    (lambda stage: say(stage.alice, stage.room), "alice", ["message"]),
    (lambda stage: say(stage.alice, stage.room), "bob", ["message"]),
    (lambda stage: say(stage.alice, stage.room), "carol", []),
    (lambda stage: say(stage.bob, stage.room), "alice", ["message"]),
    (lambda stage: say(stage.bob, stage.room), "bob", ["message"]),
    (edit, "alice", ["message.updated"]),
    (edit, "bob", ["message.updated"]),
    (edit, "carol", []),
    (delete, "alice", ["message.updated"]),
    (delete, "bob", ["message.updated"]),
    (open_room, "alice", ["room.added"]),
    (open_room, "carol", ["room.added"]),
    (open_room, "bob", []),
    (add, "alice", ["member.joined"]),
    (add, "carol", ["room.added"]),
    (remove, "alice", ["member.left"]),
    (remove, "bob", ["member.left"]),
    (remove, "carol", []),
    (read, "alice", ["me.changed", "unread", "read"]),
    (read, "bob", ["read"]),
    (read, "carol", []),
    (ask, "alice", ["me.changed"]),
    (ask, "carol", ["me.changed"]),
    (ask, "bob", []),
    (accept, "bob", ["me.changed"]),
    (accept, "carol", ["me.changed"]),
    (accept, "alice", []),
    (decline, "bob", ["me.changed"]),
    (decline, "carol", ["me.changed"]),
    (end, "bob", ["me.changed"]),
    (end, "carol", ["me.changed"]),
    # Who is blocked is told that a request is over, and nothing of the block.
    (block, "carol", ["me.changed", "me.changed"]),
    (block, "bob", ["me.changed"]),
    (block, "alice", []),
    (unblock, "carol", ["me.changed"] * 3),
    (unblock, "bob", ["me.changed"]),
    (rename, "alice", ["user.changed"]),
    (rename, "carol", ["user.changed"]),
]


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("act", "viewer", "kinds"),
        [
            pytest.param(act, viewer, kinds, id=f"{number}-{viewer}")
            for number, (act, viewer, kinds) in enumerate(ACTS)
        ],
    )
    def test_leads_from_one_snapshot_to_the_next(self, verify_action, stage, act, viewer, kinds):
        verify_action(getattr(stage, viewer), lambda: act(stage), kinds)

    def test_of_presence_is_what_is_read(self, listen, api, stage):
        socket = listen(stage.alice)
        set_presence(user_id=stage.bob.id, custom_status="Lunch", status="busy")
        told = socket.expect("presence")
        while told["user_id"] != stage.bob.id or told["custom_status"] is None:
            told = socket.expect("presence")
        shown = api.get(f"presence/{stage.bob.id}/", token=stage.alice.token).json()
        assert told == {"type": "presence"} | shown

    def test_of_what_is_unread_is_what_is_read(self, listen, api, stage):
        socket = listen(stage.alice)
        read(stage)
        told = socket.expect("unread")
        shown = api.get("unread/", token=stage.alice.token).json()
        assert (told["total"], told["unread_count"]) == (shown["total"], 0)
        assert shown["rooms"] == []

    def test_of_nothing_changes_nothing(self, verify_action, stage):
        verify_action(stage.alice, lambda: None, [])

    def test_would_be_missed(self, verify_action, stage):
        """The check itself can fail: what was not told is not in the earlier snapshot."""
        with pytest.raises(AssertionError):
            verify_action(stage.alice, lambda: edit(stage), [])
