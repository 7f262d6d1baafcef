"""Somebody who uses the service, and how he asks over HTTP."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client


@dataclass(frozen=True)
class Person:
    """Somebody messaging knows, with a token that lasts the test."""

    id: str
    username: str
    token: str


class Api:
    """The HTTP door in this process; `token` goes into the Authorization header."""

    def __init__(self) -> None:
        self.client = Client()

    def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> HttpResponse:
        """Send a path below `/api/chat/`, or a whole one; bytes go as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        bearer = {"Authorization": f"Bearer {token}"} if token is not None else {}
        full = path if path.startswith(("/", "http")) else f"/api/chat/{path}"
        kind = headers.pop("content_type", "application/json")
        return self.client.generic(method, full, raw, content_type=kind, headers=bearer | headers)

    def get(self, path: str, *, token: str | None = None) -> HttpResponse:
        return self.send("GET", path, token=token)

    def show(self, person: Person, path: str) -> Any:
        """What somebody reads there; fails where he is refused."""
        answer = self.get(path, token=person.token)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body: Any = None, *, token: str | None = None) -> HttpResponse:
        return self.send("POST", path, body, token=token)
