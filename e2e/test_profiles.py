"""What people say of themselves, what they keep to themselves, and how others hear of it."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.people import Person
    from local.stack import Stack

AVATAR = "/api/auth/me/avatar/"
LARGEST = 10_000_000
# What auth_service tells is asked for this often, if nothing rings.
HEARD_WITHIN = 6.0


def changes(person: Person, **asked: object) -> dict[str, Any]:
    answer = person.http.patch("/api/auth/me/", json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def shows(person: Person, content: bytes) -> httpx.Response:
    return person.http.post(AVATAR, files={"avatar": ("me.jpg", content, "image/jpeg")})


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(file, "JPEG")
    return file.getvalue()


def soon(what: Callable[[], bool]) -> bool:
    """Wait until it is so, for as long as it may take."""
    deadline = time.monotonic() + HEARD_WITHIN
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestAPicture:
    def test_reaches_open_sockets_and_everybody_without_credentials(
        self, stack: Stack, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        with bob.listens(room) as his, alice.listens(room) as hers:
            path = alice.shows_picture("red")
            for ear in (his, hers):
                told = ear.hears_first("user.changed")
                assert (told["user_id"], told["avatar"]) == (alice.user["id"], path)
            changes(alice, display_name="Alice Liddell 🦊")
            told = his.hears_first("user.changed")
            assert (told["display_name"], told["avatar"]) == ("Alice Liddell 🦊", path)
            alice.http.delete(AVATAR)
            assert his.hears_first("user.changed")["avatar"] is None
        assert httpx.get(stack.address + path).status_code == 404

    def test_is_only_a_picture_to_a_browser(self, stack: Stack, alice: Person) -> None:
        path = alice.shows_picture("red")
        answer = httpx.get(stack.address + path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert Image.open(io.BytesIO(answer.content)).size == (400, 400)
        told = answer.headers
        assert told["Content-Type"] == "image/webp"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert told["Cache-Control"] == "public, max-age=31536000, immutable"
        assert told["Content-Disposition"].startswith("inline")
        assert "Set-Cookie" not in told

    def test_may_have_ten_megabytes_and_no_more(self, alice: Person) -> None:
        # What is behind a JPEG is left out.
        assert shows(alice, picture("red").ljust(LARGEST, b"\0")).status_code == 200
        before = alice.http.get("/api/auth/me/").json()
        for size in (LARGEST + 1, LARGEST + 200_000):
            assert shows(alice, picture("blue").ljust(size, b"\0")).status_code == 413
        assert alice.http.get("/api/auth/me/").json() == before

    @pytest.mark.parametrize("path", ["/api/auth/me/", "/api/auth/me/avatar", "/api/auth/users/"])
    def test_may_be_so_large_nowhere_else(self, alice: Person, path: str) -> None:
        answer = alice.http.post(path, content=bytes(200_000))
        assert answer.status_code == 413


class TestPrivacy:
    def test_of_who_was_never_here_is_known_all_the_same(self, alice: Person, bob: Person) -> None:
        """He says so before messaging_service has heard of him; his token says nothing of it."""
        changes(bob, privacy={"find_me": "nobody", "last_seen": "nobody", "read_receipts": False})
        for way in (f"{bob.user['id']}/", f"by-username/{bob.username}/"):
            assert alice.http.get(f"/api/auth/users/{way}").status_code == 404
        found = alice.http.get("/api/auth/users/", params={"search": bob.username}).json()
        assert found["results"] == []

        def is_hidden() -> bool:
            answer = alice.http.post("/api/chat/rooms/", json={"username": bob.username})
            return answer.status_code == 404

        assert soon(is_hidden)
        room = bob.opens_room_with(alice)
        alice.sends(room, "Found by you")
        with alice.listens(room) as hers:
            answer = bob.http.post("/api/chat/reads/", json={"room": room, "seq": 1})
            assert answer.json()["seq"] == 1
            with bob.listens(room):
                pass
            bob.sends(room, "after that")
            kinds = []
            while (frame := hers.hears())["type"] != "message":
                kinds.append(frame["type"])
                assert frame.get("last_seen") is None or frame["user_id"] != bob.user["id"]
            assert "read" not in kinds
        shown = alice.http.get(f"/api/chat/presence/{bob.user['id']}/").json()
        assert shown["last_seen"] is None
        assert alice.opens_room_with(bob) == room

    def test_is_kept_to_from_when_it_is_heard_of(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        alice.sends(room, "Have you read this?")
        marker = {"room": room, "seq": 1}
        assert bob.http.post("/api/chat/reads/", json=marker).status_code == 200

        def readers() -> set[str]:
            rows = alice.http.get(f"/api/chat/reads/?room={room}").json()["results"]
            return {row["user_id"] for row in rows}

        both = {alice.user["id"], bob.user["id"]}
        assert readers() == both
        changes(bob, privacy={"read_receipts": False})
        assert soon(lambda: readers() == both - {bob.user["id"]})
        changes(bob, privacy={"read_receipts": True})
        assert soon(lambda: readers() == both)
