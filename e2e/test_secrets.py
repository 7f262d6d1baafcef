"""What opens an account is written down nowhere, whatever the journeys before did with it.

Runs last, after everything else that uses the same system.
"""

from __future__ import annotations

import io
import json
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import redis
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from e2e.people import SECRETS, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

READERS: dict[bytes, Any] = {
    b"string": lambda store, key: store.get(key),
    b"hash": lambda store, key: store.hgetall(key),
    b"set": lambda store, key: store.smembers(key),
    b"zset": lambda store, key: store.zrange(key, 0, -1),
    b"list": lambda store, key: store.lrange(key, 0, -1),
    b"stream": lambda store, key: store.xrange(key),
}
TABLES = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
OURS = f"{TABLES} WHERE schemaname = 'public'"


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


def log_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """Everything any process wrote, uvicorn's and gunicorn's stderr included."""
    for file in stack.logs.rglob("*"):
        if file.is_file():
            yield file.name, file.read_text(errors="replace")


def metrics(stack: Stack) -> Iterator[tuple[str, str]]:
    for path in ("", "/chat", "/sockets-1", "/sockets-2"):
        address = f"http://127.0.0.1:{stack.operators_port}/metrics{path}"
        yield path, httpx.get(address).raise_for_status().text


def redis_keys(stack: Stack) -> Iterator[tuple[str, str]]:
    with redis.Redis.from_url(stack.redis.url) as store:
        for key in store.scan_iter():
            yield str(key), f"{key!r} {READERS[store.type(key)](store, key)!r}"


def tables(stack: Stack) -> Iterator[tuple[str, str]]:
    for database in ("auth", "messaging"):
        with closing(stack.postgres.connect(database)) as link, link.cursor() as cursor:
            cursor.execute(OURS)
            for (table,) in cursor.fetchall():
                rows = io.StringIO()
                cursor.copy_expert(f"COPY {table} TO STDOUT", rows)
                yield f"{database} {table}", rows.getvalue()


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
