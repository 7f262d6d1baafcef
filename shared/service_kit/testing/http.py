"""Asking a service over HTTP, without a server."""

import json
from typing import Any, TypeAlias

from django.test import Client

from service_kit.testing.documented import OpenApi

# An HttpResponse with what Django's test client adds to it.
Answer: TypeAlias = Any


class JsonClient:
    """Sends JSON as a client does; `token` goes into the Authorization header.

    A path is below `root`, or a whole one. Bytes go as they are. An answer that `document` does not
    say fails.
    """

    def __init__(self, root: str = "/", document: OpenApi | None = None) -> None:
        self.client = Client()
        self._root = root
        self._document = document

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        bearer = {"Authorization": f"Bearer {token}"} if token is not None else {}
        full = path if path.startswith(("/", "http")) else f"{self._root}{path}"
        kind = headers.pop("content_type", "application/json")
        answer: Answer = self.client.generic(
            method, full, raw, content_type=kind, headers=bearer | headers
        )
        if self._document is not None:
            self._document.check(method, full, answer)
        return answer

    def get(self, path: str, *, token: str | None = None) -> Answer:
        return self.send("GET", path, token=token)

    def post(self, path: str, body: object = None, *, token: str | None = None) -> Answer:
        return self.send("POST", path, body, token=token)

    def patch(self, path: str, body: object = None, *, token: str | None = None) -> Answer:
        return self.send("PATCH", path, body, token=token)


def read_refusal(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Read a problem+json answer, having checked that it is one."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    return told
