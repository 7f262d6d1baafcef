"""The notification socket: what is unread, once a second, and no room's traffic."""

import asyncio
import time
from contextlib import suppress
from itertools import pairwise

import pytest

from messaging.actions.messages import send_message
from messaging.actions.reads import mark_read
from messaging.serializers.messages import new_message
from messaging.websocket.bell import Bell
from messaging.websocket.threads import in_database_thread
from messaging_service.tests.sockets import Socket
from messaging_service.tests.websocket.ears import Ear, until


@pytest.fixture
def listen(socket_server, request):
    def open_path(person):
        socket = Socket(f"{socket_server.address}/ws/notifications/?token={person.token}")
        request.addfinalizer(socket.close)
        socket.ready = socket.expect("ready")
        time.sleep(0.05)
        return socket

    return open_path


@pytest.fixture
def send(alice):
    def store(room_id, sender=alice):
        message = new_message({"content": "x"}, room_id=room_id)
        return send_message(sender_id=sender.id, room_id=room_id, message=message).row

    return store


def test_tells_what_is_unread_and_not_what_was_said(listen, bob, room, send):
    socket = listen(bob)
    assert [each["room"] for each in socket.ready["rooms"]] == [room]
    send(room)
    assert socket.next() == {
        "type": "unread",
        "room": room,
        "unread_count": 1,
        "mention_count": 0,
        "total": 1,
    }


def test_tells_at_most_one_a_second(listen, alice, bob, carol, open_room, room, send):
    other = open_room(carol, bob)
    socket = listen(bob)
    for _ in range(20):
        send(room)
        send(other, carol)
    latest, moments, last = {}, [], {}
    while latest != {room: 20, other: 20}:
        last = socket.next()
        moments.append(time.monotonic())
        latest[last["room"]] = last["unread_count"]
    # Each comes when its reader has a turn, so one that is late shortens the next pause.
    assert moments[-1] - moments[0] > len(moments) - 1.5
    assert min(after - before for before, after in pairwise(moments)) > 0.5
    assert last["total"] == 40


def test_tells_when_it_was_read_on_another_device(listen, bob, room, send):
    send(room)
    socket = listen(bob)
    mark_read(user_id=bob.id, room_id=room, seq=1)
    assert socket.next()["type"] == "me.changed"
    told = socket.next()
    assert (told["type"], told["unread_count"], told["total"]) == ("unread", 0, 0)


def test_tells_of_a_room_one_is_added_to_and_what_is_unread_there(
    listen, bob, carol, open_room, send
):
    socket = listen(bob)
    room = open_room(carol, bob)
    assert socket.next()["type"] == "room.added"
    send(room, carol)
    assert socket.next()["room"] == room


def test_says_nothing_of_ones_own_messages(listen, bob, room, send):
    socket = listen(bob)
    send(room, bob)
    time.sleep(0.3)
    send(room)
    assert socket.next()["unread_count"] == 1


def test_takes_only_the_commands_of_every_socket(listen, bob, room):
    socket = listen(bob)
    assert socket.ask({"type": "ping"})["type"] == "pong"
    refused = socket.ask({"type": "message", "room": room, "content": "x"})
    assert refused["code"] == "unknown_command"


async def test_tells_what_came_after_it_had_counted_and_before_it_listened(bob, room, send):
    """Nobody rings for that: the first look must find it."""
    outlet = Ear(bob.id)
    bell = Bell(user_id=bob.id, outlet=outlet)
    await bell.begin()
    await in_database_thread(send, room)
    ringing = asyncio.create_task(bell.ring_for_ever())
    await until(lambda: outlet.frames, within=3)
    ringing.cancel()
    with suppress(asyncio.CancelledError):
        await ringing
    told = [(each["type"], each["room"], each["unread_count"]) for each in outlet.frames]
    assert told == [("unread", room, 1)]
