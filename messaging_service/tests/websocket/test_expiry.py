"""How long a socket lives, and how it lives on."""

import time
from pathlib import Path

import pytest

from messaging.models import Epoch, Room
from messaging_service.tests.servers import closing_with, start_servers
from messaging_service.tests.sockets import Socket
from service_kit.testing import token_for

STARTING_OVER = closing_with(1012)


@pytest.fixture
def open_with(socket_server, room, request):
    def open_socket(token):
        socket = Socket(f"{socket_server.address}/ws/chat/{room}/?token={token}")
        request.addfinalizer(socket.close)
        socket.expect("ready")
        return socket

    return open_socket


class TestALivingSocket:
    """Rule 19, while it is open."""

    def test_is_told_a_minute_before_its_end(self, open_with, alice):
        socket = open_with(token_for(alice.id, username=alice.username, expires_in=62))
        warning = socket.expect("auth.expiring")
        assert 58 <= warning["in"] <= 60

    def test_of_a_shorter_token_is_told_at_once(self, open_with, alice):
        socket = open_with(token_for(alice.id, username=alice.username, expires_in=20))
        assert 15 <= socket.expect("auth.expiring", within=1)["in"] <= 20

    def test_lives_on_with_a_new_token(self, open_with, alice):
        socket = open_with(token_for(alice.id, username=alice.username, expires_in=20))
        longer = token_for(alice.id, username=alice.username, expires_in=3000)
        answer = socket.ask({"type": "auth", "token": longer})
        assert answer["type"] == "ack"
        assert answer["expires_at"] > time.strftime(
            "%Y-%m-%dT%H:%M", time.gmtime(time.time() + 2000)
        )

    @pytest.mark.parametrize("token", ["", "x", None, 1, "a.b.c"])
    def test_is_not_ended_by_a_token_that_is_none(self, open_with, alice, token):
        socket = open_with(alice.token)
        assert socket.ask({"type": "auth", "token": token})["type"] == "error"
        assert socket.ask({"type": "ping"})["type"] == "pong"

    def test_is_ended_by_somebody_elses_token(self, open_with, alice, bob):
        socket = open_with(alice.token)
        socket.send({"type": "auth", "token": bob.token})
        assert socket.closed() == 4401

    def test_is_ended_by_another_sessions_token(self, open_with, alice):
        socket = open_with(alice.token)
        other = token_for(alice.id, username=alice.username, session_id="another")
        socket.send({"type": "auth", "token": other})
        assert socket.closed() == 4401


class TestAnotherEpoch:
    def test_closes_every_socket_so_that_all_start_over(self, tmp_path: Path, alice, room):
        before = Epoch.objects.get().value
        with start_servers(tmp_path, sockets=1) as (server,):
            socket = Socket(f"{server.address}/ws/chat/{room}/?token={alice.token}")
            ready = socket.expect("ready")
            assert ready["epoch"] == str(before)
            time.sleep(2.5)
            try:
                Epoch.objects.update(value="00000000-0000-4000-8000-000000000000")
                assert socket.closed(within=5) == STARTING_OVER
                again = Socket(f"{server.address}/ws/chat/{room}/?token={alice.token}")
                assert again.expect("ready")["epoch"] == "00000000-0000-4000-8000-000000000000"
                again.close()
            finally:
                Epoch.objects.update(value=before)

    def test_is_not_needed_where_the_database_went_back(self, connect, alice, room):
        """After a fail-over that lost something, the socket's position is ahead of the room's."""
        Room.objects.filter(pk=room).update(pos=5)
        socket = connect(alice, room)
        assert socket.expect("ready")["rooms"][0]["pos"] == 5
        Room.objects.filter(pk=room).update(pos=4)
        assert socket.closed(within=5) == STARTING_OVER
