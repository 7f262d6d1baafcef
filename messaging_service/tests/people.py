"""Somebody who uses the service, and how he asks over HTTP."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from service_kit.testing.documented import OpenApi
from service_kit.testing.http import JsonClient


@cache
def document() -> OpenApi:
    return OpenApi(Path(__file__).resolve().parent.parent / "schema.yml")


@dataclass(frozen=True)
class Person:
    """Somebody messaging knows, with a token that lasts the test."""

    id: str
    username: str
    token: str


class Api(JsonClient):
    """The HTTP door in this process: paths are below `/api/chat/`."""

    def __init__(self) -> None:
        super().__init__("/api/chat/", document())

    def show(self, person: Person, path: str) -> Any:
        """What somebody reads there; fails where he is refused."""
        answer = self.get(path, token=person.token)
        assert answer.status_code == 200, answer.content
        return answer.json()
