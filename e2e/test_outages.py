"""What people notice while a part of the system is away: as little as was promised."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import WebSocketException

from e2e.faults import frozen, killed
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from e2e.people import Person
    from local.stack import Stack

    Door = Callable[[Person, int, list[str]], Iterator[str]]

ACK_SECONDS = 1.0
REPAIR_SECONDS = 5.0
REFUSAL_SECONDS = 5.0
MANY = 90


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run a system of our own: the others' is not to be broken."""
    # Some journeys send more at once than people do.
    with searched_stack(settings={"LIMIT_MESSAGE_BURST": "1000"}) as stack:
        yield stack


def send(person: Person, room: int, client_id: str, content: str = "Hello") -> httpx.Response:
    body = {"content": content, "client_id": client_id}
    return person.http.post(f"/api/chat/rooms/{room}/messages/", json=body)


def send_until_stored(person: Person, room: int, client_id: str) -> httpx.Response:
    deadline = time.monotonic() + 20
    while (answer := send(person, room, client_id)).status_code not in {200, 201}:
        assert time.monotonic() < deadline, answer.text
        assert answer.status_code in {502, 503}, answer.text
        time.sleep(0.2)
    return answer


class TestWithoutAuthService:
    def test_talk_goes_on(self, stack: Stack, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        with killed(stack, "auth_service"):
            with bob.listens(room) as ear:
                sent = alice.sends(room, "Nobody asks who we are")
                assert ear.hears_first("message") == {"type": "message"} | sent
            assert alice.opens_room_with(bob) == room

    def test_talk_goes_on_after_a_restart_of_messaging(
        self, stack: Stack, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        with killed(stack, "auth_service"):
            stack.restart("messaging_service")
            assert send_until_stored(alice, room, uuid.uuid4().hex).status_code == 201

    def test_a_person_never_seen_cannot_be_named(
        self, stack: Stack, alice: Person, bob: Person
    ) -> None:
        with killed(stack, "auth_service"):
            answer = alice.http.post("/api/chat/rooms/", json={"username": bob.username})
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"]
        assert alice.http.get("/api/chat/rooms/").json()["results"] == []
        assert alice.opens_room_with(bob)


class TestWithoutRedis:
    @pytest.mark.parametrize("away", [killed, frozen])
    def test_sends_are_acknowledged_and_heard_later(
        self, stack: Stack, alice: Person, bob: Person, away: type
    ) -> None:
        room = alice.opens_room_with(bob)
        with bob.listens(room) as ear:
            alice.sends(room, "Before")
            assert ear.hears_first("message")["seq"] == 1
            with away(stack, "redis"):
                for number in (2, 3):
                    began = time.monotonic()
                    sent = alice.sends(room, "Meanwhile")
                    assert time.monotonic() - began < ACK_SECONDS
                    assert ear.hears_first("message") == {"type": "message"} | sent
                    assert time.monotonic() - began < REPAIR_SECONDS
                    assert sent["seq"] == number
            alice.sends(room, "After")
            assert ear.hears_first("message")["seq"] == 4


class TestWithoutPostgres:
    def test_a_send_is_refused_soon_and_may_be_repeated(
        self, stack: Stack, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        alice.sends(room, "Before")
        client_id = uuid.uuid4().hex
        with frozen(stack, "postgres"):
            began = time.monotonic()
            answer = send(alice, room, client_id)
            assert time.monotonic() - began < REFUSAL_SECONDS
            assert answer.status_code == 503
            assert answer.json()["code"] in {"unavailable", "outcome_unknown"}
            assert answer.headers["Retry-After"]
        stored = send_until_stored(alice, room, client_id).json()
        assert [row["seq"] for row in bob.history(room)] == [1, 2]
        assert bob.history(room)[1]["client_id"] == stored["client_id"] == client_id


def over_http(person: Person, room: int, client_ids: list[str]) -> Iterator[str]:
    """Send one by one, again where there was no answer, and yield what was acknowledged."""
    for client_id in client_ids:
        yield send_until_stored(person, room, client_id).json()["client_id"]


def over_sockets(person: Person, room: int, client_ids: list[str]) -> Iterator[str]:
    """The same over a socket, over a new one when it breaks."""
    waiting = list(client_ids)
    deadline = time.monotonic() + 30
    while waiting:
        assert time.monotonic() < deadline
        with suppress(WebSocketException, OSError), person.listens(room) as ear:
            while waiting:
                ear.says(type="message", content="Hello", client_id=waiting[0], ref="1")
                answer = ear.hears_first("ack")
                yield answer["message"]["client_id"]
                waiting.pop(0)


class TestAfterACrash:
    @pytest.mark.parametrize(
        ("name", "door"),
        [
            ("messaging_service", over_http),
            ("messaging_sockets-1", over_sockets),
            ("messaging_sockets-2", over_sockets),
            ("postgres", over_http),
        ],
    )
    def test_every_acknowledged_message_is_there_once(
        self,
        stack: Stack,
        alice: Person,
        bob: Person,
        name: str,
        door: Callable[[Person, int, list[str]], Iterator[str]],
    ) -> None:
        room = alice.opens_room_with(bob)
        wanted = [uuid.uuid4().hex for _ in range(MANY)]
        acknowledged: list[str] = []
        sending = threading.Thread(
            target=lambda: acknowledged.extend(door(alice, room, wanted)), daemon=True
        )
        sending.start()
        while len(acknowledged) < MANY // 3:
            assert sending.is_alive()
            time.sleep(0.001)
        with killed(stack, name):
            pass
        sending.join(60)
        assert acknowledged == wanted
        # Whoever had a connection to a Postgres that was restarted is told to try again, once.
        while (
            answer := bob.http.get(f"/api/chat/rooms/{room}/messages/?limit=100")
        ).status_code == 503:
            assert answer.headers["Retry-After"]
        page = answer.json()["results"]
        assert [row["client_id"] for row in page] == wanted
        assert [row["seq"] for row in page] == list(range(1, MANY + 1))
