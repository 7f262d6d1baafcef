"""Somebody with an account, at the gateway, with nothing but an HTTP and a WebSocket client."""

from __future__ import annotations

import io
import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from e2e.asyncapi import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "over-the-hills-and-far-away"
SECONDS = 10.0
# Whatever opens an account, of everybody: test_secrets.py looks for all of it everywhere.
SECRETS = {PASSWORD}


class Person:
    """One account and its newest tokens. Closes its connections when left."""

    def __init__(self, address: str, username: str) -> None:
        self.address = address
        self.username = username
        self.http = httpx.Client(base_url=address, timeout=SECONDS)
        self.user: dict[str, Any] = {}

    @classmethod
    @contextmanager
    def signs_up(cls, address: str, name: str) -> Iterator[Person]:
        person = cls(address, f"{name}-{uuid.uuid4().hex[:12]}")
        with person.http:
            answer = person.http.post("/api/auth/register/", json=person.account(name))
            assert answer.status_code == 201, answer.text
            person.signed_in(answer.json())
            yield person

    def account(self, name: str) -> dict[str, str]:
        return {
            "username": self.username,
            "email": f"{self.username}@example.com",
            "password": PASSWORD,
            "display_name": name.title(),
        }

    def signed_in(self, body: dict[str, Any]) -> None:
        self.user = body.get("user") or self.user
        self.access, self.refresh = body["access"], body["refresh"]
        SECRETS.update((self.access, self.refresh))
        self.http.headers["Authorization"] = f"Bearer {self.access}"

    def logs_in_as_page(self) -> dict[str, str]:
        """Log in once more, and return the headers by which a page of ours is known."""
        body = {"username": self.username, "password": PASSWORD, "session": True}
        answer = httpx.post(f"{self.address}/api/auth/login/", json=body, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        cookies = dict(answer.cookies)
        SECRETS.update(cookies.values())
        shown = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"Cookie": shown, "X-CSRFToken": cookies["csrftoken"], "Origin": self.address}

    def shows_picture(self, colour: str) -> str:
        """Upload a picture of one colour, and return where it is."""
        file = io.BytesIO()
        Image.new("RGB", (600, 400), colour).save(file, "JPEG")
        answer = self.http.post("/api/auth/me/avatar/", files={"avatar": file.getvalue()})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["avatar"])

    def renews(self) -> None:
        answer = self.http.post("/api/auth/refresh/", json={"refresh": self.refresh})
        assert answer.status_code == 200, answer.text
        self.signed_in(answer.json())

    def opens_room_with(self, other: Person) -> int:
        answer = self.http.post("/api/chat/rooms/", json={"username": other.username})
        assert answer.status_code in {200, 201}, answer.text
        return int(answer.json()["room_id"])

    def sends(self, room: int, content: str, **fields: str) -> dict[str, Any]:
        body = {"content": content, **fields}
        answer = self.http.post(f"/api/chat/rooms/{room}/messages/", json=body)
        assert answer.status_code in {200, 201}, answer.text
        sent: dict[str, Any] = answer.json()
        return sent

    def history(self, room: int) -> list[dict[str, Any]]:
        answer = self.http.get(f"/api/chat/rooms/{room}/messages/")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    @contextmanager
    def listens(self, room: int, *, address: str = "") -> Iterator[Ear]:
        """Open a socket and hear `ready`; through the gateway unless another address is given."""
        base = (address or self.address).replace("http", "ws", 1)
        header = {"Authorization": f"Bearer {self.access}"}
        with connect(f"{base}/ws/chat/{room}/", additional_headers=header) as socket:
            ear = Ear(socket)
            assert ear.hears()["type"] == "ready"
            yield ear


class Ear:
    """An open socket, frame by frame; `ready` is its first frame, if that was waited for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ready: dict[str, Any] = {}

    def hears(self) -> dict[str, Any]:
        """Wait for the next frame, which is as documented."""
        text = self.socket.recv(SECONDS)
        checked(text)
        frame: dict[str, Any] = json.loads(text)
        return frame

    def hears_first(self, kind: str) -> dict[str, Any]:
        """Wait for the next frame of a type, past all others."""
        while (frame := self.hears())["type"] != kind:
            pass
        return frame

    def says(self, **frame: object) -> None:
        self.socket.send(json.dumps(frame))

    def hears_nothing_more(self) -> bool:
        """Say whether a ping's answer is the next frame: what was told before would come first."""
        self.says(type="ping", ref="nothing-more")
        # Who comes and goes is told whenever it is noticed.
        while (frame := self.hears())["type"] in {"presence", "presences"}:
            pass
        return frame | {"pos": None} == {"type": "pong", "ref": "nothing-more", "pos": None}
