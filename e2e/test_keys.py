"""Another key begins to sign while everybody goes on; and tokens of every kind of key."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e.people import Person
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.processes import Process
    from local.stack import Stack

DOORS = ("/api/auth/me/", "/api/chat/rooms/")
ROTATING = 2
ENOUGH = 50
SECONDS = 40.0
# Well under what a session may refresh in a minute.
SECONDS_PER_TOKEN = 1.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run two processes of each service; their first key is for RS256."""
    settings = {"JWT_ALGORITHM": "RS256"}
    with searched_stack(sockets=1, http_each=2, settings=settings) as stack:
        yield stack


class Crowd:
    """People who refresh, and show each token at both services, until told to stop."""

    def __init__(self, address: str) -> None:
        self.told: Counter[tuple[str, str, int]] = Counter()
        self._address = address
        self._over = threading.Event()

    def run(self) -> None:
        with Person.signs_up(self._address, "crowd") as person:
            while not self._over.is_set():
                self._note("old", "/api/auth/refresh/", self._renew(person))
                self._show(person, until=time.monotonic() + SECONDS_PER_TOKEN)

    def stop(self) -> None:
        self._over.set()

    def has_used(self, kind: str) -> bool:
        return all(self.told[kind, door, 200] >= ENOUGH for door in DOORS)

    def _show(self, person: Person, *, until: float) -> None:
        kind = algorithm_of(person.access)
        while time.monotonic() < until and not self._over.is_set():
            for door in DOORS:
                self._note(kind, door, person.http.get(door).status_code)

    def _renew(self, person: Person) -> int:
        answer = person.http.post("/api/auth/refresh/", json={"refresh": person.refresh})
        if answer.status_code == 200:
            person.signed_in(answer.json())
        return answer.status_code

    def _note(self, kind: str, door: str, status: int) -> None:
        self.told[kind, door, status] += 1


def algorithm_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["alg"])


def segment(of: object) -> str:
    return base64url(json.dumps(of).encode())


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def rotate(stack: Stack) -> None:
    """Rotate as an operator does; from here on to EdDSA."""
    stack.auth.environment["JWT_ALGORITHM"] = "EdDSA"
    stack.auth.manage("rotate_signing_keys").run()


def let_hours_pass(stack: Stack) -> None:
    """Let two hours have passed for keys, and every verifier have refreshed its own."""
    with closing(stack.postgres.connect("auth")) as link, link.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_storedkey SET published_at = published_at - interval '2 hours',"
            " retired_at = retired_at - interval '2 hours'"
        )
        cursor.execute("SELECT key_id FROM accounts_storedkey WHERE state <> 'retired'")
        known = {key_id for (key_id,) in cursor.fetchall()}
    wait_until(lambda: all(published(process) == known for process in stack.auth_processes))
    for process in (*stack.messaging_processes, *stack.socket_processes):
        stack.restart(process.name)


def published(process: Process) -> set[str]:
    keys = httpx.get(f"http://localhost:{process.port}/.well-known/jwks.json").json()["keys"]
    return {key["kid"] for key in keys}


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def socket_of(stack: Stack, token: str) -> str:
    """Open a socket and return the type of its first frame, or the code of its end."""
    url = f"{stack.address.replace('http', 'ws', 1)}/ws/chat/"
    header = {"Authorization": f"Bearer {token}"}
    with connect(url, additional_headers=header) as socket:
        try:
            return "ready" if '"ready"' in str(socket.recv(timeout=SECONDS)) else "?"
        except ConnectionClosed as closed:
            return str(closed.rcvd.code if closed.rcvd else None)


class TestRotation:
    """Rule 9: nobody notices, until the old key's time is over."""

    def test_rejects_no_token_that_is_good_and_then_none_that_is_not(self, stack: Stack) -> None:
        with Person.signs_up(stack.address, "early") as early:
            rotate(stack)
            let_hours_pass(stack)
            told = self._rotate_under_load(stack)
            assert {status for _, _, status in told} == {200}, told
            assert socket_of(stack, early.access) == "ready"

            let_hours_pass(stack)
            wait_until(lambda: self._statuses(early) == {401})
            assert socket_of(stack, early.access) == "4401"
            early.signed_in(
                early.http.post("/api/auth/refresh/", json={"refresh": early.refresh}).json()
            )
            assert algorithm_of(early.access) == "EdDSA"
            assert self._statuses(early) == {200}
            assert socket_of(stack, early.access) == "ready"

    def _rotate_under_load(self, stack: Stack) -> Counter[tuple[str, str, int]]:
        crowd = Crowd(stack.address)
        with ThreadPoolExecutor(ROTATING) as threads:
            running = [threads.submit(crowd.run) for _ in range(ROTATING)]
            try:
                wait_until(lambda: crowd.has_used("RS256"))
                rotate(stack)
                wait_until(lambda: crowd.has_used("EdDSA"))
            finally:
                crowd.stop()
            for each in running:
                each.result()
        return crowd.told

    def _statuses(self, person: Person) -> set[int]:
        # Twice, so that both processes of a service are asked.
        return {person.http.get(door).status_code for door in DOORS * 2}


class TestWhatMessagingHas:
    """Rule 1: the private key is with auth_service alone."""

    def test_is_no_private_key_and_no_secret_of_the_other(self, stack: Stack) -> None:
        has = "\n".join(stack.messaging.environment.values())
        private = (stack.home / "jwt-private-key.pem").read_text()
        assert "PRIVATE" not in has
        assert private.splitlines()[1] not in has
        assert stack.auth.environment["JWT_PRIVATE_KEY_FILE"] not in has
        assert stack.secrets.auth_django not in has

    def test_is_not_enough_to_make_a_token(self, stack: Stack) -> None:
        with Person.signs_up(stack.address, "forger") as person:
            header, claims, _ = person.access.split(".")
            confused = segment(jwt.get_unverified_header(person.access) | {"alg": "HS256"})
            keys = person.http.get("/.well-known/jwks.json").text
            for secret in {*stack.messaging.environment.values(), keys, ""}:
                for signed in (f"{confused}.{claims}", f"{header}.{claims}"):
                    signature = hmac.digest(secret.encode(), signed.encode(), "sha256")
                    forged = f"{signed}.{base64url(signature)}"
                    person.http.headers["Authorization"] = f"Bearer {forged}"
                    assert [person.http.get(door).status_code for door in DOORS] == [401, 401]


class TestASharedSecret:
    def test_is_accepted_by_both_services(self) -> None:
        settings = {"JWT_ALGORITHM": "HS256", "JWT_SECRET": "0123456789abcdef" * 4}
        with (
            searched_stack(sockets=1, settings=settings) as stack,
            Person.signs_up(stack.address, "shared") as person,
        ):
            assert algorithm_of(person.access) == "HS256"
            assert [person.http.get(door).status_code for door in DOORS] == [200, 200]
            assert socket_of(stack, person.access) == "ready"
            assert person.http.get("/.well-known/jwks.json").json() == {"keys": []}
