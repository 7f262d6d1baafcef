"""What the gateway lets through, what it keeps out, and what is written down on the way."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

if TYPE_CHECKING:
    from e2e.people import Person
    from local.stack import Stack

BODY_LIMIT = 128 * 1024


def logs_with(stack: Stack, words: str) -> set[str]:
    return {log.name for log in stack.logs.glob("*.log*") if words in log.read_text()}


class TestRequestId:
    def test_comes_back_and_stands_in_the_logs_of_both_services(
        self, stack: Stack, alice: Person
    ) -> None:
        given = f"from-a-client-{uuid.uuid4().hex}"
        for path in ("/api/auth/me/", "/api/chat/rooms/"):
            answer = alice.http.get(path, headers={"X-Request-ID": given})
            assert answer.headers["X-Request-ID"] == given
        wanted = {"auth_service.log", "messaging_service.log", "traefik.log"}
        deadline = time.monotonic() + 5
        while logs_with(stack, given) != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        assert logs_with(stack, given) == wanted

    @pytest.mark.parametrize("path", ["/api/auth/me/", "/api/chat/rooms/", "/api/chat/nowhere/"])
    def test_is_made_where_none_or_a_bad_one_was_given(self, alice: Person, path: str) -> None:
        for given in ({}, {"X-Request-ID": "two words"}, {"X-Request-ID": "x" * 65}):
            made = alice.http.get(path, headers=given).headers["X-Request-ID"]
            assert made not in given.values()
            assert made.isalnum()


class TestQueryStrings:
    def test_stand_in_no_log(self, stack: Stack, alice: Person, bob: Person) -> None:
        canary = f"canary-{uuid.uuid4().hex}"
        room = alice.opens_room_with(bob)
        for path in ("/api/auth/users/", "/api/chat/rooms/", f"/api/chat/rooms/{room}/messages/"):
            alice.http.get(path, params={"search": canary, "token": canary})
        for path in (f"/ws/chat/{room}/", "/ws/nowhere/", "/nowhere/"):
            address = f"{stack.address.replace('http', 'ws')}{path}?token={canary}"
            with suppress(WebSocketException), connect(address) as socket:
                socket.recv(5)
        alice.sends(room, f"What people write is in no log either: {canary}")
        time.sleep(0.5)
        assert logs_with(stack, f"/api/chat/rooms/{room}/messages/")
        assert logs_with(stack, canary) == set()
        assert logs_with(stack, alice.access) == set()


class TestPublicSurface:
    @pytest.mark.parametrize(
        "path",
        [
            "/internal/users/?ids=1",
            "/api/auth/../../internal/users/?ids=1",
            "/api/auth/internal/users/?ids=1",
            "/api/chat/internal/users/?ids=1",
            "//internal/users/?ids=1",
            "/health/ready",
            "/health/auth/ready",
            "/dashboard/",
            "/metrics",
        ],
    )
    def test_leaves_out_what_is_inside(self, alice: Person, path: str) -> None:
        answer = alice.http.get(path)
        assert answer.status_code == 404
        assert "username" not in answer.text

    @pytest.mark.parametrize("name", ["auth", "chat", "sockets"])
    def test_has_the_health_of_each_part(self, stack: Stack, name: str) -> None:
        answer = httpx.get(f"{stack.address}/health/{name}/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_has_messaging_under_two_names(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        sent = alice.sends(room, "Once")
        answer = alice.http.get(f"/api/messaging/rooms/{room}/messages/")
        assert answer.json()["results"] == [sent]
        body = {"content": "Through the second name"}
        answer = alice.http.post(f"/api/messaging/rooms/{room}/messages/", json=body)
        assert answer.status_code == 201
        assert [row["content"] for row in bob.history(room)] == ["Once", body["content"]]


class TestOversizedBody:
    @pytest.mark.parametrize("size", [BODY_LIMIT + 1, 10 * BODY_LIMIT])
    def test_is_refused_at_the_gateway(
        self, stack: Stack, alice: Person, bob: Person, size: int
    ) -> None:
        room = alice.opens_room_with(bob)
        path = f"/api/chat/rooms/{room}/messages/"
        mark = uuid.uuid4().hex
        answer = alice.http.post(
            path,
            content=b" " * size,
            headers={"Content-Type": "application/json", "X-Request-ID": mark},
        )
        assert answer.status_code == 413
        assert alice.history(room) == []
        assert "messaging_service.log" not in logs_with(stack, mark)

    def test_just_below_that_is_refused_by_the_service(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        answer = alice.http.post(
            f"/api/chat/rooms/{room}/messages/",
            content=b" " * BODY_LIMIT,
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert alice.history(room) == []


class TestForgedHeaders:
    @pytest.mark.parametrize(
        "name", ["X-User-Id", "X-User", "X-Forwarded-User", "X-Auth-User-Id", "Remote-User", "Sub"]
    )
    def test_change_nobody_s_identity(self, alice: Person, bob: Person, name: str) -> None:
        forged = {name: bob.user["id"]}
        assert alice.http.get("/api/auth/me/", headers=forged).json() == alice.user
        room = alice.opens_room_with(bob)
        answer = alice.http.post(
            f"/api/chat/rooms/{room}/messages/", json={"content": "Me"}, headers=forged
        )
        assert answer.json()["sender_id"] == alice.user["id"]

    @pytest.mark.parametrize("path", ["/api/auth/me/", "/api/chat/rooms/"])
    def test_are_no_credential(self, stack: Stack, alice: Person, path: str) -> None:
        forged = {"X-User-Id": alice.user["id"], "X-Forwarded-User": alice.username}
        answer = httpx.get(f"{stack.address}{path}", headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("name", ["X_User_Id", "X_Forwarded_For", "X_Request_ID"])
    def test_with_underscores_are_refused(self, alice: Person, name: str) -> None:
        assert alice.http.get("/api/auth/me/", headers={name: "1"}).status_code == 400
