"""A real Postgres, a key of its own, and a client that speaks as a person would."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import pytest
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.ports import free_ports
from local.testing import provide_engines

PASSWORD = "correct horse battery"
NO_LIMITS = (
    "LIMIT_LOGINS_PER_MINUTE",
    "LIMIT_LOGINS_PER_ADDRESS",
    "LIMIT_LOGINS_BY_STRANGERS",
    "LIMIT_REGISTRATIONS_PER_HOUR",
    "LIMIT_REFRESHES_PER_MINUTE",
    "LIMIT_EXPORTS_PER_HOUR",
    "LIMIT_MAILS_PER_HOUR",
    "LIMIT_MAILS_PER_ADDRESS",
    "LIMIT_MAILS_BY_STRANGERS",
)


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
    "MEDIA_ROOT": tempfile.mkdtemp(prefix="parley-media-"),
    "JWT_ALGORITHM": "EdDSA",
    "JWT_SECRET": "",
    "JWT_PUBLIC_KEY": "",
    "DEBUG": "false",
    "LOG_LEVEL": "INFO",
    # Where mails are read, a test says where they go.
    "EMAIL_HOST": "",
    # What is limited by default is tested in test_attempts.py.
    **dict.fromkeys(NO_LIMITS, "1000000"),
}
django.setup()

from auth_service.tests.mail_server import Inbox, mail_server  # noqa: E402 - Django comes first.
from service_kit.testing.documented import OpenApi  # noqa: E402 - Django comes first.
from service_kit.testing.http import JsonClient, read_refusal  # noqa: E402
from service_kit.testing.threads import at_once  # noqa: E402


@dataclass
class Person:
    id: str
    username: str
    access: str
    refresh: str


SignUp = Callable[..., Person]


@pytest.fixture(scope="session")
def openapi() -> OpenApi:
    return OpenApi(SERVICE / "schema.yml")


@pytest.fixture
def api(openapi: OpenApi) -> JsonClient:
    return JsonClient(document=openapi)


@pytest.fixture
def sign_up(api: JsonClient) -> SignUp:
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
    return read_refusal


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
    return at_once


@pytest.fixture(scope="module")
def smtp() -> Iterator[Controller]:
    """Run a mail server for the tests of a module."""
    server = mail_server(Inbox(), free_ports(1)[0])
    server.start()
    yield server
    server.stop()


@pytest.fixture
def inbox(smtp: Controller, settings: Any) -> Inbox:
    """Return a new mailbox, into which mails go."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.hostname, smtp.port
    settings.SENDS_MAIL = True
    smtp.handler = Inbox()
    return smtp.handler
