"""Somebody switches on a second factor, and logs in with it."""

from __future__ import annotations

import time
from base64 import b32decode
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e.people import PASSWORD, SECONDS, SECRETS

if TYPE_CHECKING:
    from e2e.people import Person

ENDED: Final = 4401
STEP: Final = 30
MFA: Final = "/api/auth/me/mfa/"


class Authenticator:
    """An app that was shown the secret."""

    def __init__(self, secret: str) -> None:
        SECRETS.add(secret)
        self._totp = TOTP(b32decode(secret), 6, SHA1(), STEP)  # noqa: S303 - as apps have it

    def code(self, *, steps: int = 0) -> str:
        return self._totp.generate(time.time() + steps * STEP).decode()


def switch_on(person: Person) -> tuple[Authenticator, list[str]]:
    """Enrol; the code that does so is used up, the next one is good already."""
    authenticator = Authenticator(person.http.post(MFA, json={}).json()["secret"])
    answer = person.http.post(f"{MFA}confirm/", json={"code": authenticator.code()})
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["recovery_codes"]
    SECRETS.update(codes)
    return authenticator, codes


def log_in(person: Person, **asked: object) -> httpx.Response:
    body = {"username": person.username, "password": PASSWORD, **asked}
    return httpx.post(f"{person.address}/api/auth/login/", json=body, timeout=SECONDS)


def challenge_of(answer: httpx.Response) -> str:
    told = answer.json()
    assert (answer.status_code, told["code"]) == (401, "mfa_required")
    challenge: str = told["challenge"]
    SECRETS.add(challenge)
    return challenge


def show(person: Person, challenge: str, code: str) -> httpx.Response:
    body = {"challenge": challenge, "code": code}
    return httpx.post(f"{person.address}/api/auth/login/mfa/", json=body, timeout=SECONDS)


class TestTheSecondFactor:
    def test_is_asked_for_from_then_on(self, alice: Person, bob: Person) -> None:
        authenticator, codes = switch_on(alice)
        challenge = challenge_of(log_in(alice))
        alice.signed_in(show(alice, challenge, authenticator.code(steps=1)).json())
        room = alice.opens_room_with(bob)
        with alice.listens(room) as ear:
            alice.sends(room, "With both factors")
            assert ear.hears_first("message")["content"] == "With both factors"
        again = show(alice, challenge_of(log_in(alice)), codes[0])
        assert again.status_code == 200
        SECRETS.update((again.json()["access"], again.json()["refresh"]))

    def test_is_asked_of_web_pages_too(self, alice: Person) -> None:
        authenticator, _ = switch_on(alice)
        answer = show(alice, challenge_of(log_in(alice, session=True)), authenticator.code(steps=1))
        assert set(answer.json()) == {"user", "csrf_token"}
        cookies = dict(answer.cookies)
        SECRETS.update(cookies.values())
        for path in ("/api/auth/me/", "/api/chat/rooms/"):
            shown = {"Cookie": f"access_token={cookies['access_token']}"}
            assert httpx.get(f"{alice.address}{path}", headers=shown).status_code == 200

    def test_ends_the_sessions_of_before(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        with alice.listens(room) as ear:
            alice.signed_in(log_in(alice).json())
            switch_on(alice)
            with pytest.raises(ConnectionClosed) as closed:
                ear.hears_first("nothing more")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == ENDED

    def test_lets_a_challenge_be_no_token(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        switch_on(alice)
        challenge = challenge_of(log_in(alice))
        for path in ("/api/auth/me/", "/api/chat/rooms/"):
            for shown in (
                {"Authorization": f"Bearer {challenge}"},
                {"Cookie": f"access_token={challenge}"},
            ):
                assert httpx.get(f"{alice.address}{path}", headers=shown).status_code == 401
        base = alice.address.replace("http", "ws", 1)
        for query in ("token", "ticket"):
            with (
                connect(f"{base}/ws/chat/{room}/?{query}={challenge}") as socket,
                pytest.raises(ConnectionClosed) as closed,
            ):
                socket.recv(SECONDS)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == ENDED

    def test_can_be_switched_off_with_the_password(self, alice: Person) -> None:
        switch_on(alice)
        assert alice.http.request("DELETE", MFA, json={"password": "guess"}).status_code == 400
        challenge_of(log_in(alice))
        assert alice.http.request("DELETE", MFA, json={"password": PASSWORD}).status_code == 204
        answer = log_in(alice)
        assert answer.status_code == 200
        alice.signed_in(answer.json())
