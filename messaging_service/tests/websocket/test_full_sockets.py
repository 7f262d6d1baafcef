"""A refill that comes while one of the sockets is full: its reader has not read for a while."""

import json

import pytest

from e2e.metrics import Counted
from local.ports import LOOPBACK
from messaging.actions.messages import send_message
from messaging.actions.typing import tell_typing
from messaging.serializers.messages import new_message
from messaging_service.tests.doorbell import Doorbell, Fate
from messaging_service.tests.filling import fill

# Of four bytes each: the largest a message may be.
LARGE = "👋" * 4_000
BETWEEN_LOOKS = 8
MOST_TOLD = 2_000
# More than what may wait for a socket.
MISSED = 120


@pytest.fixture
def counted(socket_server):
    return Counted(f"http://{LOOPBACK}:{socket_server.port}/metrics")


@pytest.fixture
def doorbell():
    doorbell = Doorbell()
    with doorbell.installed():
        yield doorbell


def say(person, room):
    new = new_message({"content": LARGE}, room_id=room)
    return json.loads(send_message(sender_id=person.id, room_id=room, message=new).text)["pos"]


def type_in(person, room):
    tell_typing(user_id=person.id, username=person.username, room_id=room, is_typing=True)


class TestFullSocket:
    @pytest.mark.not_under_daphne("it takes everything, however much: no socket is ever full")
    def test_is_refilled_in_order_or_cut_while_others_hear_all(
        self, enter, counted, doorbell, alice, bob, room
    ):
        slow, quick = enter(bob, room), enter(bob, room)
        # It is full: passing events are left out for it, for which half of what may wait must wait.
        while not counted("parley_frames_shed_total"):
            for _ in range(BETWEEN_LOOKS):
                pos = say(alice, room)
                doorbell.decide([Fate.TOLD])
                assert quick.expect("message")["pos"] == pos < MOST_TOLD
            type_in(alice, room)
            doorbell.decide([Fate.TOLD])
            quick.expect("typing")
        assert not counted("parley_sockets_given_up_total")
        fill(room, alice.id, MISSED, content=LARGE)
        last = say(alice, room)
        doorbell.decide([Fate.TOLD])
        told = [quick.expect("message", within=10)["pos"] for _ in range(last - pos)]
        assert told == list(range(pos + 1, last + 1))
        assert counted("parley_refills_total", "gap")
        heard, end = hear_all(slow, last)
        assert heard == list(range(1, len(heard) + 1))
        if counted("parley_sockets_given_up_total"):
            assert end in {4408, 1006}
        else:
            assert (len(heard), end) == (last, None)


def hear_all(socket, last):
    """The positions of messages up to the last, or up to the code the socket is closed with."""
    heard = []
    while len(heard) < last:
        frame = socket.first_or_closed(within=10)
        if isinstance(frame, int):
            return heard, frame
        if frame["type"] == "message":
            heard.append(frame["pos"])
    return heard, None
