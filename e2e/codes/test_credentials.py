"""What opens a socket, keeps it open, and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from e2e.codes.sockets import opened

if TYPE_CHECKING:
    from e2e.people import Person
    from local.stack import Stack


class TestRefusedUpgrade:
    def test_is_for_foreign_pages(self, stack: Stack, alice: Person, room: int) -> None:
        foreign: dict[str, Any] = {"headers": {"Origin": "https://elsewhere.example"}}
        with (
            pytest.raises(InvalidStatus) as refused,
            opened(alice, f"/ws/chat/{room}/", **foreign),
        ):
            pass
        assert refused.value.response.status_code == 403
        with opened(alice, f"/ws/chat/{room}/", headers={"Origin": stack.address}) as ear:
            assert ear.hears()["type"] == "ready"


class TestCredential:
    @pytest.mark.parametrize("path", ["/ws/chat/", "/ws/chat/{room}/", "/ws/notifications/"])
    def test_may_stand_in_any_of_four_places(self, alice: Person, room: int, path: str) -> None:
        where, token = path.format(room=room), alice.access
        ticket = alice.http.post("/api/chat/ws-ticket/").json()["ticket"]
        offered = [Subprotocol("parley.v1"), Subprotocol(f"bearer.{token}")]
        with opened(alice, where) as ear:
            assert ear.hears()["user_id"] == alice.user["id"]
        for query in (f"?ticket={ticket}", f"?token={token}"):
            with opened(alice, where + query, bearer=False) as ear:
                assert ear.hears()["user_id"] == alice.user["id"]
        with opened(alice, where, bearer=False, subprotocols=offered) as ear:
            assert ear.socket.subprotocol == "parley.v1"
            assert ear.hears()["user_id"] == alice.user["id"]


class TestExpiringSocket:
    def test_is_told_so_and_lives_on_with_a_new_token(self, alice: Person, room: int) -> None:
        with alice.listens(room) as ear:
            assert ear.hears_first("auth.expiring")["in"] <= 60
            answer = alice.http.post("/api/auth/refresh/", json={"refresh": alice.refresh})
            alice.signed_in(answer.json())
            ear.says(type="auth", token=alice.access, ref="longer")
            assert ear.hears_first("ack")["expires_at"]
            assert ear.hears_first("auth.expiring")["in"] <= 60
