"""What opens an account is written down nowhere, whatever the journeys before did with it.

Runs last, after everything else that uses the same system.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from e2e.people import SECRETS, Person
from e2e.traces import TOKEN, log_files, metrics, redis_keys, tables

if TYPE_CHECKING:
    from local.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def _used_everywhere(stack: Stack) -> None:
    """Show somebody's secrets in every place that takes them, and in some that do not."""
    with (
        Person.signs_up(stack.address, "canary") as canary,
        Person.signs_up(stack.address, "friend") as friend,
    ):
        page, room = canary.logs_in_as_page(), canary.opens_room_with(friend)
        ticket = canary.http.post("/api/chat/ws-ticket/").json()["ticket"]
        SECRETS.add(ticket)
        base = f"{stack.address.replace('http', 'ws')}/ws/chat/{room}/"
        shown: list[tuple[str, dict[str, Any]]] = [
            (f"?token={canary.access}", {}),
            (f"?ticket={ticket}", {}),
            (f"?ticket={ticket}", {}),
            (f"?token={canary.access}x", {}),
            (f"?token={canary.refresh}", {}),
            (f"?token={canary.access}&after=x", {}),
            ("", {"subprotocols": ["parley.v1", f"bearer.{canary.access}"]}),
            ("", {"additional_headers": {"Authorization": f"Bearer {canary.access}"}}),
            ("", {"additional_headers": {"Cookie": page["Cookie"]}, "origin": stack.address}),
            ("", {"additional_headers": {"Cookie": page["Cookie"]}, "origin": "http://evil.org"}),
        ]
        for query, options in shown:
            with suppress(WebSocketException), connect(base + query, **options) as socket:
                socket.recv(5)
                socket.send(json.dumps({"type": "auth", "token": canary.access, "ref": "1"}))
                socket.send(json.dumps({"type": "auth", "token": canary.refresh}))
                socket.send(json.dumps({"type": canary.access, "ref": canary.access[:60]}))
                socket.recv(5)
        for path in ("/api/auth/me/", "/api/chat/rooms/", "/nowhere/", "/api/auth/refresh/"):
            for method in ("GET", "POST"):
                canary.http.request(method, path, params={"token": canary.access}, headers=page)
                canary.http.request(method, path, headers={"Referer": f"/?{canary.refresh}"})
                canary.http.request(method, path, content=canary.refresh)
        canary.renews()
        # One that is not used, so that it is still kept while it is looked for.
        SECRETS.add(canary.http.post("/api/chat/ws-ticket/").json()["ticket"])
        canary.http.post("/api/auth/logout/")


def traces(text: str) -> list[str]:
    """Which secrets stand in a text, whole or the part nobody could guess, also as hex."""
    parts = {secret.rpartition(".")[2] for secret in SECRETS}
    return [part for part in parts if part in text or part.encode().hex() in text]


class TestNoSecretOfAnyJourney:
    @pytest.mark.parametrize("places", [redis_keys, log_files, metrics, tables])
    def test_is_written_down(self, stack: Stack, places: Any) -> None:
        found = dict(places(stack))
        assert any(found.values())
        assert [name for name, text in found.items() if traces(text)] == []

    def test_would_be_found(self, stack: Stack) -> None:
        """The places are those that are written to, and what is looked for was used."""
        assert len(SECRETS) > 5
        assert "canary-" in "".join(text for _, text in tables(stack))
        logged = dict(log_files(stack))
        assert {"traefik.log", "auth_service.log", "messaging_sockets-1.log"} <= logged.keys()
        assert "credential.refused" in "".join(logged.values())
        assert traces(f"x{next(iter(SECRETS))}x")

    def test_is_known_by_its_form(self, alice: Person) -> None:
        """So that it is found where nobody said what to look for: e2e.traces.searched_stack."""
        assert TOKEN.search(f"x {alice.access} x")
        assert TOKEN.search(f"refresh={alice.refresh}&")
        assert not TOKEN.search(f"{alice.access.partition('.')[0]} and {'0' * 32}")
