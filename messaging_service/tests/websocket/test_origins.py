"""Which web pages may open sockets."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from messaging_service.tests.servers import start_servers

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


class TestAClientThatIsNoPage:
    def test_may_open_a_socket(self, open_from):
        assert '"ready"' in open_from()
