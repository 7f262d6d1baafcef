"""Somebody who has a second factor, and a clock that only moves when told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from auth_service.tests.conftest import PASSWORD, Person
from auth_service.tests.mfa.authenticator import STEP, Authenticator
from service_kit.testing.http import Answer, JsonClient

# The beginning of a step, so that half a step more is still the same.
NOON = 1_800_000_000


@dataclass
class Clock:
    now: float = NOON

    def step(self, steps: float = 1) -> None:
        self.now += steps * STEP


@dataclass
class Owner:
    """A person with an authenticator; `codes` are those for recovery."""

    api: JsonClient
    clock: Clock
    username: str
    access: str
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(""))
    codes: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        return self.api.send(method, f"/api/auth/me/mfa/{path}", body, token=self.access)

    def begin(self, body: object = None) -> Answer:
        answer = self.ask("POST", "", body or {})
        if answer.status_code == 200:
            self.authenticator = Authenticator(answer.json()["secret"])
        return answer

    def confirm(self, code: str | None = None) -> Answer:
        answer = self.ask("POST", "confirm/", {"code": code or self.code()})
        if answer.status_code == 200:
            self.codes = answer.json()["recovery_codes"]
        return answer

    def code(self, steps: float = 0) -> str:
        return self.authenticator.code(self.clock.now + steps * STEP)

    def log_in(self, **asked: object) -> Answer:
        body = {"username": self.username, "password": PASSWORD, **asked}
        return self.api.post("/api/auth/login/", body)

    def challenge(self, **asked: object) -> str:
        answer = self.log_in(**asked)
        assert answer.status_code == 401, answer.content
        told: str = answer.json()["challenge"]
        return told

    def answer(self, challenge: str, code: str, **headers: str) -> Answer:
        body = {"challenge": challenge, "code": code}
        return self.api.send("POST", "/api/auth/login/mfa/", body, **headers)

    def enabled(self) -> Any:
        return self.api.get("/api/auth/me/", token=self.access).json()["mfa_enabled"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("accounts.actions.mfa.codes.time", lambda: clock.now)
    return clock


@pytest.fixture
def new_owner(api: JsonClient, clock: Clock) -> Callable[[Person], Owner]:
    """Give somebody an authenticator whose code is good for a login at once."""

    def enrol(person: Person) -> Owner:
        owner = Owner(api, clock, person.username, person.access)
        assert owner.begin().status_code == 200
        assert owner.confirm().status_code == 200
        clock.step()
        return owner

    return enrol


@pytest.fixture
def owner(alice: Person, new_owner: Callable[[Person], Owner]) -> Owner:
    return new_owner(alice)
