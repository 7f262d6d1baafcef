"""What each process counts, as Prometheus reads it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from e2e.metrics import Counted, read
from local.ports import LOOPBACK
from messaging_service.tests.people import Person
from messaging_service.tests.servers import Server, start_servers
from messaging_service.tests.sockets import Socket

Enter = Callable[..., Socket]


def url_of(server: Server) -> str:
    return f"http://{LOOPBACK}:{server.port}/metrics"


@pytest.fixture
def counted(socket_server: Server) -> Counted:
    return Counted(url_of(socket_server))


class TestASocketProcess:
    def test_counts_sockets_frames_and_closes(
        self, counted: Counted, enter: Enter, alice: Person, bob: Person, room: int
    ) -> None:
        open_before = counted.before.get(("parley_sockets_open", "room"), 0.0)
        mine, his = enter(alice, room), enter(bob, room)
        counted.soon("parley_sockets_open", "room", at_least=2)
        mine.ask({"type": "message", "content": "x"})
        his.expect("message")
        assert counted("parley_frames_received_total") == 1
        assert counted("parley_frames_told_total") >= 2
        assert counted("parley_sends_total", "stored") == 1
        assert counted("parley_writer_batch_size_count") == 1
        assert counted("parley_delivery_lag_seconds_count") >= 1
        mine.close()
        counted.soon("parley_sockets_closed_total", "1000", at_least=1)
        assert read(counted.url)["parley_sockets_open", "room"] == open_before + 1

    def test_counts_what_became_of_sends(
        self, counted: Counted, enter: Enter, carol: Person, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room)
        for _ in range(2):
            socket.ask({"type": "message", "content": "x", "client_id": f"same-{room}"})
        counted.soon("parley_sends_total", "duplicate", at_least=1)

    def test_says_whether_it_counts_alone(self, counted: Counted, enter: Enter) -> None:
        assert counted.before["parley_publisher_rests", ""] == 0

    def test_answers_whoever_asks_by_address(self, socket_server: Server) -> None:
        assert read(url_of(socket_server), host="messaging_sockets:8080")

    def test_one_that_a_client_made_up_is_no_label(
        self, counted: Counted, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room)
        socket.link.close(4321)
        counted.soon("parley_sockets_closed_total", "other", at_least=1)
        assert ("parley_sockets_closed_total", "4321") not in read(counted.url)


class TestAnHttpProcess:
    def test_counts_sends_and_refusals(self, tmp_path: Path, alice: Person, room: int) -> None:
        slow = {"LIMIT_MESSAGE_BURST": "1", "LIMIT_MESSAGES_PER_SECOND": "0.1"}
        with start_servers(tmp_path, http=1, **slow) as (server,):
            path = f"http://{LOOPBACK}:{server.port}/api/chat/rooms/{room}/messages/"
            with httpx.Client(headers={"Authorization": f"Bearer {alice.token}"}) as client:
                sent = client.post(path, json={"content": "x"}).json()
                mine = f"{path}{sent['id']}/"
                refused = [
                    *(client.post(path, json={"content": "x"}) for _ in range(2)),
                    *(client.patch(mine, json={"content": f"{n}"}) for n in range(3)),
                    client.delete(mine),
                ]
            assert {answer.status_code for answer in refused} == {429}
            found = read(url_of(server))
            assert found["parley_sends_total", "stored"] == 1
            assert found["parley_sends_total", "rate_limited"] == 2
            assert found["parley_limit_refusals_total", "messages"] == 4
            assert found["parley_limit_counts_alone", "messages"] == 0
