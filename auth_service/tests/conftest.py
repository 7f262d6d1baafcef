"""A real Postgres, a key of its own, and a client that speaks as a person would."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.http import HttpResponse
from django.test import Client

from local.testing import provide_engines

PASSWORD = "correct horse battery"


def _new_key_file() -> str:
    path = Path(tempfile.mkdtemp(prefix="parley-key-")) / "key.pem"
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


SERVICE = Path(__file__).resolve().parent.parent
PYTHON_PATH = f"{SERVICE}:{SERVICE.parent / 'shared'}"
sys.path.insert(0, str(SERVICE))
provide_engines()
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": secrets.token_hex(32),
    "INTERNAL_SECRET": secrets.token_hex(32),
    "ALLOWED_HOSTS": "testserver",
    "JWT_PRIVATE_KEY_FILE": _new_key_file(),
    "JWT_ALGORITHM": "EdDSA",
    "JWT_SECRET": "",
    "JWT_PUBLIC_KEY": "",
    "DEBUG": "false",
    "LOG_LEVEL": "INFO",
}
django.setup()


class Api:
    """Sends JSON as a client does; `token` goes into the Authorization header."""

    def __init__(self) -> None:
        self.client = Client()

    def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> HttpResponse:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        headers = {"Authorization": f"Bearer {token}"} if token is not None else None
        return self.client.generic(
            method, path, raw, content_type="application/json", headers=headers
        )

    def get(self, path: str, *, token: str | None = None) -> HttpResponse:
        return self.send("GET", path, token=token)

    def post(self, path: str, body: Any = None, *, token: str | None = None) -> HttpResponse:
        return self.send("POST", path, body, token=token)

    def patch(self, path: str, body: Any = None, *, token: str | None = None) -> HttpResponse:
        return self.send("PATCH", path, body, token=token)


@dataclass
class Person:
    id: str
    username: str
    access: str
    refresh: str


SignUp = Callable[..., Person]


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def sign_up(api: Api) -> SignUp:
    """Register somebody, and give back the tokens."""

    def register(username: str = "alice", **fields: str) -> Person:
        asked = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        answer = api.post("/api/auth/register/", asked | fields)
        assert answer.status_code == 201, answer.content
        told = answer.json()
        return Person(told["user"]["id"], username, told["access"], told["refresh"])

    return register


@pytest.fixture
def alice(db: None, sign_up: SignUp) -> Person:
    return sign_up("alice")


@pytest.fixture
def bob(db: None, sign_up: SignUp) -> Person:
    return sign_up("bob")


@pytest.fixture
def refusal() -> Callable[..., dict[str, Any]]:
    """Read a problem+json answer, having checked that it is one."""

    def read(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
        assert answer.status_code == status, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        told = answer.json()
        assert (told["status"], told["code"]) == (status, code)
        return told

    return read


RunWith = Callable[[dict[str, str], str], subprocess.CompletedProcess[str]]


@pytest.fixture
def run_with() -> RunWith:
    """Run a program in a process of its own, where the settings are read anew."""

    def run(environment: dict[str, str], program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{program}"],
            env=os.environ | {"PYTHONPATH": PYTHON_PATH} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def together() -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """Run something in many threads, started at one moment, each with its own connection."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from django.db import connection

    def run(count: int, act: Callable[[int], Any]) -> list[Any]:
        start = Barrier(count)

        def one(number: int) -> Any:
            start.wait(10)
            try:
                return act(number)
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(one, range(count)))

    return run
