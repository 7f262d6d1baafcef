"""The contract's limits on real processes: each at it and one past it, through both doors."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from local.ports import LOOPBACK, free_ports
from local.redis import Redis
from messaging_service.tests.people import Person
from messaging_service.tests.servers import Server, start_servers
from messaging_service.tests.sockets import Socket
from messaging_service.tests.state import state_of

BURST = 20
COMMANDS = 40
SOCKETS = 20
JSON_BYTES = 2_000
JSON_DEPTH = 8
USUAL = {
    "LIMIT_MESSAGES_PER_SECOND": "5",
    "LIMIT_MESSAGE_BURST": "20",
    "LIMIT_COMMANDS_PER_SECOND": "20",
    "LIMIT_COMMAND_BURST": "40",
    "LIMIT_SOCKETS_PER_USER": "20",
}

# So slow that no test gets a new one by accident, whatever else the machine does.
SLOW = USUAL | {"LIMIT_MESSAGES_PER_SECOND": "0.1", "LIMIT_COMMANDS_PER_SECOND": "0.1"}

Enter = Callable[..., Socket]


class Limited(NamedTuple):
    """Processes with the bursts of the contract, and a Redis of their own."""

    redis: Redis
    one: Server
    two: Server
    http: Server

    def post(self, person: Person, room: int, **body: Any) -> tuple[int, Any, dict[str, Any]]:
        """Send over HTTP: status, headers, JSON."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {person.token}"}
        with closing(HTTPConnection(LOOPBACK, self.http.port, timeout=10)) as link:
            path = f"/api/chat/rooms/{room}/messages/"
            link.request("POST", path, json.dumps({"content": "x"} | body), headers)
            answer = link.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.redis.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.redis.process.pid, signal.SIGCONT)
            time.sleep(1.2)


@pytest.fixture(scope="module")
def limited(_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    folder = tmp_path_factory.mktemp("limited")
    redis = Redis(home=folder / "redis", logs=folder / "log", port=free_ports(1)[0], password="x")
    redis.start()
    try:
        json_limits = {"LIMIT_JSON_BYTES": str(JSON_BYTES), "LIMIT_JSON_DEPTH": str(JSON_DEPTH)}
        settings = SLOW | json_limits | {"REDIS_URL": redis.url}
        with start_servers(folder, sockets=2, http=1, **settings) as servers:
            yield Limited(redis, *servers)
    finally:
        redis.stop()


@pytest.fixture(scope="module")
def usual(_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process with the limits of the contract."""
    with start_servers(tmp_path_factory.mktemp("usual"), sockets=1, **USUAL) as (server,):
        yield server


def send(socket: Socket, count: int) -> list[str]:
    """Send so many at once; what became of each: "ack" or a code."""
    refs = [f"{uuid4().hex}" for _ in range(count)]
    for ref in refs:
        socket.send({"type": "message", "content": "x", "ref": ref})
    answers = [socket.expect("ack", "error") for _ in refs]
    assert sorted(answer["ref"] for answer in answers) == sorted(refs)
    by_ref = {answer["ref"]: answer.get("code", "ack") for answer in answers}
    return [by_ref[ref] for ref in refs]


class TestJson:
    """Smaller than the contract's, which other tests are at and one past."""

    def test_of_as_many_bytes_is_read_and_of_one_more_is_not(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        fitting = '{"type":"message","content":"x","ref":"a"}'.ljust(JSON_BYTES)
        socket.send(fitting)
        assert socket.expect("ack")["ref"] == "a"
        before = state_of(room)
        socket.send(f"{fitting} ")
        assert socket.expect("error")["code"] == "too_large"
        # The body of `post` is JSON without a blank to spare.
        status, _, told = limited.post(alice, room, padding="x" * JSON_BYTES)
        assert (status, told["code"]) == (413, "too_large")
        assert state_of(room) == before
        left = JSON_BYTES - len(json.dumps({"content": "x", "padding": ""}))
        assert limited.post(alice, room, padding="x" * left)[0] == 201
        assert limited.post(alice, room, padding="x" * (left + 1))[0] == 413

    def test_of_as_many_levels_is_read_and_of_one_more_is_not(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        def nested(levels: int) -> Any:
            return [nested(levels - 1)] if levels else 1

        socket = enter(alice, room, server=limited.one)
        said = {"type": "message", "content": "x"}
        assert socket.ask(said | {"unknown": nested(JSON_DEPTH - 1)})["type"] == "ack"
        before = state_of(room)
        socket.send(said | {"unknown": nested(JSON_DEPTH)})
        assert socket.expect("error")["code"] == "invalid"
        assert limited.post(alice, room, unknown=nested(JSON_DEPTH))[0] == 400
        assert state_of(room) == before
        assert limited.post(alice, room, unknown=nested(JSON_DEPTH - 1))[0] == 201


class TestMessages:
    def test_a_burst_is_accepted_and_one_more_is_not(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        assert send(socket, BURST) == ["ack"] * BURST
        before = state_of(room)
        refused = socket.ask({"type": "message", "content": "one more"})
        assert (refused["type"], refused["code"]) == ("error", "rate_limited")
        assert (refused["room"], 1 <= refused["retry_after"] <= 10) == (room, True)
        assert state_of(room) == before

    def test_it_is_one_for_all_sockets_processes_and_doors(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        sockets = [enter(alice, room, server=each) for each in (limited.one, limited.two)]
        for socket in sockets:
            assert send(socket, 7) == ["ack"] * 7
        assert [limited.post(alice, room)[0] for _ in range(6)] == [201] * 6
        before = state_of(room)
        status, headers, told = limited.post(alice, room)
        assert (status, told["code"]) == (429, "rate_limited")
        assert 1 <= int(headers["Retry-After"]) <= 10
        assert headers["Content-Type"] == "application/problem+json"
        assert [send(socket, 1) for socket in sockets] == [["rate_limited"]] * 2
        assert state_of(room) == before

    def test_it_is_everybodys_own(
        self, limited: Limited, enter: Enter, alice: Person, bob: Person, room: int
    ) -> None:
        mine, his = (enter(person, room, server=limited.one) for person in (alice, bob))
        assert send(mine, BURST + 1)[-1] == "rate_limited"
        assert send(his, BURST) == ["ack"] * BURST

    def test_what_is_refused_leaves_no_gap_in_what_is_not(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        assert send(socket, BURST + 5) == ["ack"] * BURST + ["rate_limited"] * 5
        heard = [socket.expect("message")["seq"] for _ in range(BURST)]
        assert heard == list(range(1, BURST + 1))

    def test_it_may_go_on_at_five_a_second(
        self, usual: Server, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=usual)
        began, number = time.monotonic(), 0
        while (answer := socket.ask({"type": "message", "content": "x"}))["type"] == "ack":
            number += 1
        assert BURST <= number <= BURST + 5 * (time.monotonic() - began)
        assert answer["retry_after"] == 1
        time.sleep(1)
        assert send(socket, 4) == ["ack"] * 4

    def test_edits_and_deletions_count_as_messages(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        id_ = socket.ask({"type": "message", "content": "x"})["message"]["id"]
        for number in range(BURST - 1):
            edit = {"type": "message.edit", "id": id_, "content": str(number)}
            assert socket.ask(edit)["type"] == "ack"
        before = state_of(room)
        refused = socket.ask({"type": "message.delete", "id": id_})
        assert (refused["type"], refused["code"]) == ("error", "rate_limited")
        assert send(socket, 1) == ["rate_limited"]
        assert state_of(room) == before

    def test_a_refused_send_may_be_repeated(
        self, usual: Server, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=usual)
        id_ = uuid4().hex
        send(socket, BURST + 5)
        again = {"type": "message", "content": "x", "client_id": id_}
        while (answer := socket.ask(again))["type"] == "error":
            assert answer["code"] == "rate_limited"
            time.sleep(0.3)
        assert (answer["duplicate"], answer["message"]["client_id"]) == (False, id_)

    def test_without_redis_each_process_counts_alone(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        sockets = [enter(alice, room, server=each) for each in (limited.one, limited.two)]
        with limited.frozen():
            for socket in sockets:
                began = time.monotonic()
                outcomes = send(socket, BURST + 3)
                assert time.monotonic() - began < 2
                assert outcomes[:BURST] == ["ack"] * BURST
                assert outcomes[-1] == "rate_limited"

    def test_a_frozen_redis_refuses_nobody_and_delays_nobody_much(
        self, limited: Limited, enter: Enter, bob: Person, room: int
    ) -> None:
        socket = enter(bob, room, server=limited.one)
        with limited.frozen():
            for _ in range(8):
                began = time.monotonic()
                assert send(socket, 1) == ["ack"]
                assert time.monotonic() - began < 1


class TestCommands:
    def test_a_burst_is_carried_out_and_one_more_is_not(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        answers = self.ping(socket, COMMANDS + 5)
        assert [each["type"] for each in answers[:COMMANDS]] == ["pong"] * COMMANDS
        assert answers[-1]["code"] == "rate_limited"
        assert 1 <= answers[-1]["retry_after"] <= 10

    def test_each_socket_has_its_own(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        for _ in range(2):
            socket = enter(alice, room, server=limited.one)
            assert {each["type"] for each in self.ping(socket, COMMANDS)} == {"pong"}

    def test_what_is_no_command_counts_too(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        for raw in ("no json", '{"type":"nothing"}', '{"type":"ping","ref":5}') * 15:
            socket.send(raw)
        codes = [socket.expect("error")["code"] for _ in range(45)]
        assert "rate_limited" not in codes[:COMMANDS]
        assert codes[-1] == "rate_limited"

    def test_sync_is_not_limited(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        for _ in range(COMMANDS * 2):
            socket.send({"type": "sync", "after": 0})
        for _ in range(COMMANDS * 2):
            assert socket.expect("synced", "error")["type"] == "synced"

    @staticmethod
    def ping(socket: Socket, count: int) -> list[dict[str, Any]]:
        for _ in range(count):
            socket.send({"type": "ping"})
        return [socket.expect("pong", "error") for _ in range(count)]


class TestTooFastTooOften:
    def test_ten_commands_in_a_row_close_the_socket(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        self.is_closed_by(socket, COMMANDS + 10, {"type": "typing", "is_typing": True})

    def test_ten_messages_in_a_row_close_the_socket(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        socket = enter(alice, room, server=limited.one)
        assert send(socket, BURST) == ["ack"] * BURST
        self.is_closed_by(socket, 10, {"type": "message", "content": "x"})

    def is_closed_by(self, socket: Socket, count: int, command: dict[str, Any]) -> None:
        """Not one more is sent: what nobody reads any more would cut the connection."""
        for _ in range(count):
            socket.send(command)
        assert socket.closed() == 4429
        refused = [each for each in socket.unheard if each["type"] == "error"]
        assert [each["code"] for each in refused] == ["rate_limited"] * 10

    def test_nine_do_not(self, limited: Limited, enter: Enter, alice: Person, room: int) -> None:
        socket = enter(alice, room, server=limited.one)
        assert send(socket, BURST) == ["ack"] * BURST
        for _ in range(2):
            assert send(socket, 9) == ["rate_limited"] * 9
            # A command that is carried out begins a new row.
            assert socket.ask({"type": "ping"})["type"] == "pong"


class TestSockets:
    def test_twenty_are_held_over_two_processes_and_one_more_closes_the_oldest(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        held = [
            enter(alice, room, server=(limited.one, limited.two)[number % 2])
            for number in range(SOCKETS)
        ]
        time.sleep(1)
        assert all(each.ask({"type": "ping"})["type"] == "pong" for each in held)
        enter(alice, room, server=limited.two)
        assert (held[0].closed(), held[0].reason) == (4429, "replaced")
        assert all(each.ask({"type": "ping"})["type"] == "pong" for each in held[1:])
        # And the next oldest is in the other process.
        enter(alice, room, server=limited.one)
        assert held[1].closed() == 4429

    def test_a_closed_one_makes_room(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        held = [enter(alice, room, server=limited.one) for _ in range(SOCKETS)]
        held[-1].close()
        time.sleep(0.5)
        enter(alice, room, server=limited.two)
        time.sleep(0.5)
        assert held[0].ask({"type": "ping"})["type"] == "pong"

    def test_everybody_has_his_own(
        self, limited: Limited, enter: Enter, alice: Person, bob: Person, room: int
    ) -> None:
        his = enter(bob, room, server=limited.one)
        for _ in range(SOCKETS + 1):
            enter(alice, room, server=limited.one)
        time.sleep(0.5)
        assert his.ask({"type": "ping"})["type"] == "pong"

    def test_without_redis_each_process_counts_its_own(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        with limited.frozen():
            held = [enter(alice, room, server=limited.one) for _ in range(SOCKETS + 1)]
            assert held[0].closed() == 4429
            assert held[1].ask({"type": "ping"})["type"] == "pong"

    def test_a_restarted_redis_is_told_what_is_open(
        self, limited: Limited, enter: Enter, alice: Person, room: int
    ) -> None:
        held = [enter(alice, room, server=limited.one) for _ in range(SOCKETS)]
        limited.redis.process.kill()
        limited.redis.start()
        time.sleep(5)
        enter(alice, room, server=limited.two)
        assert held[0].closed() == 4429
        assert held[1].ask({"type": "ping"})["type"] == "pong"


class TestADeadProcess:
    def test_leaves_nobody_with_fewer_sockets_for_long(
        self, limited: Limited, enter: Enter, alice: Person, room: int, tmp_path: Path
    ) -> None:
        settings = SLOW | {"REDIS_URL": limited.redis.url}
        with start_servers(tmp_path, sockets=1, **settings) as (third,):
            for _ in range(SOCKETS):
                enter(alice, room, server=third)
            time.sleep(0.5)
            third.process.kill()
            time.sleep(11)
            held = [enter(alice, room, server=limited.one) for _ in range(SOCKETS)]
            time.sleep(0.5)
            assert all(each.ask({"type": "ping"})["type"] == "pong" for each in held)
