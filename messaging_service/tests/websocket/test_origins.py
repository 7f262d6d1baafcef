"""Which web pages may open sockets."""

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from messaging_service.tests.servers import start_servers
from messaging_service.tests.sockets import Socket
from service_kit.testing import token_for

OURS = "https://app.example.org"


@pytest.fixture(scope="module")
def server(socket_server, tmp_path_factory):
    allowed = f"{OURS}/,http://localhost:3000"
    with start_servers(tmp_path_factory.mktemp("o"), sockets=1, ALLOWED_ORIGINS=allowed) as started:
        yield started[0]


@pytest.fixture
def open_from(server, room, alice):
    def open_socket(*origins):
        address = f"{server.address}/ws/chat/{room}/?token={alice.token}"
        headers = [("Origin", origin) for origin in origins]
        with connect(address, additional_headers=headers, open_timeout=5) as socket:
            return socket.recv(timeout=5)

    return open_socket


UNREADABLE = pytest.mark.not_under_daphne("it answers 400 before we are asked")


class TestAPage:
    @pytest.mark.parametrize("origin", [OURS, OURS.upper(), "http://localhost:3000"])
    def test_of_ours_may_open_a_socket(self, open_from, origin):
        assert '"ready"' in open_from(origin)

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example.org",
            "http://app.example.org",
            "https://app.example.org.evil.org",
            "https://app.example.org:8443",
            "http://localhost",
            "null",
            pytest.param("", marks=UNREADABLE),
            pytest.param("https://[::1", marks=UNREADABLE),
            pytest.param("https://app.example.org:99999", marks=UNREADABLE),
        ],
    )
    def test_of_somebody_else_is_refused_before_the_upgrade(self, open_from, origin):
        with pytest.raises(InvalidStatus) as refused:
            open_from(origin)
        assert refused.value.response.status_code == 403

    @pytest.mark.parametrize("second", ["https://evil.example.org", OURS])
    def test_with_two_origins_is_refused(self, open_from, second):
        """By uvicorn already; another server leaves it to us."""
        with pytest.raises(InvalidStatus) as refused:
            open_from(OURS, second)
        assert refused.value.response.status_code in {400, 403}


@pytest.fixture
def open_with(server, room):
    """Open the room's socket with a query and headers; its first frame, or what it closes with."""
    opened = []

    def open_socket(query="", **headers):
        socket = Socket(f"{server.address}/ws/chat/{room}/{query}", headers=headers)
        opened.append(socket)
        return socket.first_or_closed()

    yield open_socket
    for socket in opened:
        socket.close()


class TestTheCookie:
    def test_opens_a_socket_for_a_page_of_ours(self, open_with, alice):
        cookie = f"theme=dark; access_token={alice.token}; csrftoken=x"
        assert open_with(Cookie=cookie, Origin=OURS)["user_id"] == alice.id

    def test_opens_none_without_an_origin(self, open_with, alice):
        assert open_with(Cookie=f"access_token={alice.token}") == 4401

    def test_opens_none_for_another_page(self, open_with, alice):
        with pytest.raises(InvalidStatus) as refused:
            open_with(Cookie=f"access_token={alice.token}", Origin="https://evil.example.org")
        assert refused.value.response.status_code == 403

    def test_is_beaten_by_one_explicit_credential(self, open_with, alice, bob):
        cookie = f"access_token={alice.token}"
        assert open_with(f"?token={bob.token}", Cookie=cookie, Origin=OURS)["user_id"] == bob.id
        assert open_with("?token=x", Cookie=cookie, Origin=OURS) == 4401

    def test_does_not_settle_two_explicit_ones(self, open_with, alice):
        headers = {"Authorization": f"Bearer {alice.token}"}
        cookie = f"access_token={alice.token}"
        assert open_with(f"?token={alice.token}", Cookie=cookie, Origin=OURS, **headers) == 4400

    @pytest.mark.parametrize("value", ["", "x", "{expired}"])
    def test_holds_a_good_token_or_opens_none(self, open_with, alice, value):
        expired = token_for(alice.id, expires_in=-60)
        cookie = f"access_token={value.format(expired=expired)}"
        assert open_with(Cookie=cookie, Origin=OURS) == 4401

    def test_of_another_name_is_none(self, open_with, alice):
        assert open_with(Cookie=f"token={alice.token}", Origin=OURS) == 4401


class TestTheLog:
    def test_tells_of_a_foreign_page_and_a_bad_credential(self, open_with, server, alice):
        evil = f"https://{alice.username}.example.org"
        with pytest.raises(InvalidStatus):
            open_with(f"?token={alice.token}", Origin=evil)
        assert open_with(f"?token={alice.token}x") == 4401
        lines = [json.loads(line) for line in server.log.splitlines()]
        told = [line for line in lines if line["logger"] == "service_kit.security"]
        assert {"origin.denied", "credential.refused"} <= {line["event"] for line in told}
        assert evil in {line["reason"] for line in told}
        assert {line["address"] for line in told} == {"127.0.0.1"}
        assert alice.token not in server.log

    def test_tells_who_asked_for_what_is_not_his(self, server, carol, room):
        headers = {"Authorization": f"Bearer {carol.token}", "X-Request-ID": f"of-{carol.id}"}
        headers |= {"X-Real-Ip": "192.0.2.5"}
        with Socket(f"{server.address}/ws/chat/{room}/", headers=headers) as socket:
            assert socket.closed() == 4403
        with Socket(f"{server.address}/ws/chat/", headers=headers) as socket:
            assert socket.next()["type"] == "ready"
            socket.send({"type": "message", "room": room, "content": "x", "ref": "1"})
            assert socket.expect("error")["code"] == "not_found"
        lines = [json.loads(line) for line in server.log.splitlines()]
        told = [line for line in lines if line.get("user_id") == carol.id]
        assert [(line["event"], line["reason"]) for line in told] == [
            ("access.denied", "not_found")
        ] * 2
        assert {(line["sid"], line["address"]) for line in told} == {
            (f"session-{carol.id}", "192.0.2.5")
        }
        assert told[0]["request_id"] == f"of-{carol.id}"


class TestAClientThatIsNoPage:
    def test_may_open_a_socket(self, open_from):
        assert '"ready"' in open_from()
