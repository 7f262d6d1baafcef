"""What people do from their first visit on, through the gateway."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e.people import PASSWORD

if TYPE_CHECKING:
    from e2e.people import Person
    from local.stack import Stack

# Fewer than a socket may ask in one go.
MANY = 30
ESTABLISHED = "01"


def open_connections(port: int | None) -> int:
    """Count the connections a loopback port of this machine has accepted."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    accepted = [line.split()[1] for line in lines if line.split()[3] == ESTABLISHED]
    return sum(int(address.split(":")[1], 16) == port for address in accepted)


class TestFirstVisit:
    def test_leads_from_signing_up_to_being_heard(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        assert bob.opens_room_with(alice) == room
        with bob.listens(room) as ear:
            sent = alice.sends(room, "Are you there? 👋")
            heard = ear.hears_first("message")
        assert heard == {"type": "message"} | sent
        assert heard["sender_username"] == alice.username
        assert bob.history(room) == alice.history(room) == [sent]

    def test_shows_the_message_in_the_others_inbox(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        sent = alice.sends(room, "For when you are back")
        (shown,) = bob.http.get("/api/chat/rooms/").json()["results"]
        assert (shown["id"], shown["last_message"], shown["unread_count"]) == (room, sent, 1)

    def test_lets_both_talk_over_sockets(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        with alice.listens(room) as hers, bob.listens(room) as his:
            hers.says(type="typing", is_typing=True)
            assert his.hears_first("typing")["username"] == alice.username
            hers.says(type="message", content="Over a socket", ref="1")
            ack, heard = hers.hears_first("ack"), his.hears_first("message")
            assert ack["ref"] == "1"
            assert {"type": "message"} | ack["message"] == heard
            his.says(type="message", content="And back")
            assert hers.hears_first("message")["content"] == "Over a socket"
            assert hers.hears_first("message")["content"] == "And back"
        assert [row["seq"] for row in alice.history(room)] == [1, 2]

    def test_may_send_again_without_saying_it_twice(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        client_id = uuid.uuid4().hex
        with bob.listens(room) as ear:
            first = alice.sends(room, "Once", client_id=client_id)
            again = alice.sends(room, "Once", client_id=client_id)
            assert again == first | {"duplicate": True}
            assert ear.hears_first("message") == {"type": "message"} | first
            assert ear.hears_nothing_more()
        assert alice.history(room) == [first]


class TestStranger:
    def test_reaches_nothing_of_others(self, alice: Person, bob: Person, carol: Person) -> None:
        room = alice.opens_room_with(bob)
        sent = alice.sends(room, "Between us")
        for path in (f"rooms/{room}/", f"rooms/{room}/messages/"):
            assert carol.http.get(f"/api/chat/{path}").status_code == 404
        body = {"content": "Let me in"}
        answer = carol.http.post(f"/api/chat/rooms/{room}/messages/", json=body)
        assert answer.json()["code"] == "not_found"
        with pytest.raises(ConnectionClosed) as closed, carol.listens(room):
            pass
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
        assert bob.history(room) == [sent]


class TestSocketProcesses:
    @pytest.mark.parametrize(("hers", "his"), [(1, 2), (2, 1)])
    def test_carry_a_message_from_one_to_the_other(
        self, stack: Stack, alice: Person, bob: Person, hers: int, his: int
    ) -> None:
        ports = {n: stack.process(f"messaging_sockets-{n}").port for n in (1, 2)}
        room = alice.opens_room_with(bob)
        with (
            alice.listens(room, address=f"http://localhost:{ports[hers]}") as mouth,
            bob.listens(room, address=f"http://localhost:{ports[his]}") as ear,
        ):
            for number in range(MANY):
                mouth.says(type="message", content=str(number))
            told = [[each.hears_first("message") for _ in range(MANY)] for each in (mouth, ear)]
        assert told[0] == told[1]
        assert [frame["content"] for frame in told[1]] == [str(number) for number in range(MANY)]
        assert [frame["pos"] for frame in told[1]] == list(range(1, MANY + 1))

    def test_both_get_sockets_from_the_gateway(
        self, stack: Stack, alice: Person, bob: Person
    ) -> None:
        ports = [stack.process(f"messaging_sockets-{n}").port for n in (1, 2)]
        room = alice.opens_room_with(bob)
        before = [open_connections(port) for port in ports]
        with ExitStack() as open_sockets:
            for _ in range(4):
                open_sockets.enter_context(alice.listens(room))
            now = [open_connections(port) for port in ports]
        more = [after - first for first, after in zip(before, now, strict=True)]
        # The gateway's health checks come and go beside them.
        assert min(more) >= 1


class TestTicket:
    def test_opens_one_socket(self, stack: Stack, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        ticket = alice.http.post("/api/chat/ws-ticket/").json()["ticket"]
        address = f"{stack.address.replace('http', 'ws')}/ws/chat/{room}/?ticket={ticket}"
        with connect(address) as socket:
            assert '"type":"ready"' in str(socket.recv(10))
        with connect(address) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


class TestSession:
    def test_is_renewed_with_a_new_pair_of_tokens(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        before = alice.refresh
        answer = alice.http.post("/api/auth/refresh/", json={"refresh": before})
        alice.signed_in(answer.json())
        assert alice.refresh != before
        assert alice.sends(room, "Still here")["seq"] == 1

    def test_ends_when_an_old_refresh_token_is_used_again(self, alice: Person) -> None:
        old = alice.refresh
        # Until the next one is used, the answer may have been lost.
        for _ in range(2):
            alice.renews()
        for token in (old, alice.refresh):
            answer = alice.http.post("/api/auth/refresh/", json={"refresh": token})
            assert answer.json()["code"] == "not_authenticated"
        assert alice.http.get("/api/auth/me/").json()["code"] == "session_revoked"

    def test_ends_at_logout_and_another_begins_at_login(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        sent = alice.sends(room, "Before")
        assert alice.http.post("/api/auth/logout/").status_code == 204
        assert alice.http.get("/api/auth/me/").json()["code"] == "session_revoked"
        body = {"refresh": alice.refresh}
        assert alice.http.post("/api/auth/refresh/", json=body).status_code == 401
        body = {"username": alice.username.upper(), "password": PASSWORD}
        alice.signed_in(alice.http.post("/api/auth/login/", json=body).json())
        assert alice.http.get("/api/auth/me/").json() == alice.user
        assert alice.history(room) == [sent]
