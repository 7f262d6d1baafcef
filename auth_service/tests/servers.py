"""Real auth_service processes on one database, for what only happens between them."""

import http.client
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from local.ports import LOOPBACK, free_ports
from local.services import Service, ready
from service_kit.testing import public_key_pem

DATABASE = "auth_servers"
HOSTS = f"{LOOPBACK},localhost"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class Servers:
    """The ports of the processes; `link` is a connection of the test's own, in a transaction."""

    ports: Sequence[int]
    service: Service

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = "", server: int = 0
    ) -> Answer:
        """Send one request on a connection of its own."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        port = self.ports[server % len(self.ports)]
        with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=20)) as link:
            link.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = link.getresponse()
            told = answer.read()
        return Answer(answer.status, json.loads(told) if told else None)

    def sign_up(self, username: str) -> dict[str, Any]:
        """Register somebody; returns `user`, `access` and `refresh`."""
        asked = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        answer = self.ask("POST", "/api/auth/register/", asked)
        assert answer.status == 201, answer
        told: dict[str, Any] = answer.body
        return told

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        secret = os.environ["INTERNAL_SECRET"]
        answer = self.ask("GET", f"/internal/events/?after={after}", token=secret)
        told: list[dict[str, Any]] = answer.body["events"]
        return told

    @contextmanager
    def link(self) -> Iterator[Connection]:
        """Yield a transaction by hand, which is rolled back unless the test commits it."""
        with closing(psycopg2.connect(**_parameters(DATABASE))) as link:
            yield link

    def wait_for_waiters(self, number: int) -> None:
        """Return when so many statements of the servers wait for a lock."""
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        deadline = time.monotonic() + 2.5
        with self.link() as link, link.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(waiting)
                if cursor.fetchone() == (number,):
                    return
                link.rollback()
                time.sleep(0.01)
        raise AssertionError(f"not {number} statements were waiting")


def _parameters(database: str) -> dict[str, Any]:
    names = {"host": "DB_HOST", "port": "DB_PORT", "user": "DB_USER", "password": "DB_PASSWORD"}
    return {name: os.environ[setting] for name, setting in names.items()} | {"dbname": database}


def _create(database: str) -> None:
    with closing(psycopg2.connect(**_parameters(os.environ["DB_NAME"]))) as link:
        link.autocommit = True
        link.cursor().execute(f"DROP DATABASE IF EXISTS {database}")
        link.cursor().execute(f"CREATE DATABASE {database}")


@contextmanager
def start_messaging_service(folder: Path) -> Iterator[int]:
    """Run the other service, which trusts nobody's token; yields its port."""
    _create("messaging")
    own = {"DB_NAME": "messaging", "POSTGRES_MANAGED": "true", "ALLOWED_HOSTS": HOSTS}
    own |= {"JWT_PUBLIC_KEY": public_key_pem(), "LEAVING_SECONDS": "0"}
    service = Service(name="messaging_service", logs=folder, scratch=folder, environment=own)
    service.manage("migrate", "-v0").run(seconds=60)
    process = service.http(port=free_ports(1)[0])
    try:
        process.start()
        process.wait_until(lambda: ready(process))
        assert process.port is not None
        yield process.port
    finally:
        process.stop()


@contextmanager
def start_servers(folder: Path, *, number: int = 2, **more: str) -> Iterator[Servers]:
    """Run so many processes of the service on a database of their own, in the tests' Postgres.

    `more` are settings besides.
    """
    _create(DATABASE)
    settings = {"DB_NAME": DATABASE, "POSTGRES_MANAGED": "true", "ALLOWED_HOSTS": HOSTS}
    settings |= {"LEAVING_SECONDS": "0", **more}
    service = Service(name="auth_service", logs=folder, scratch=folder, environment=settings)
    service.manage("migrate", "-v0").run(seconds=60)
    ports = free_ports(number)
    with ExitStack() as running:
        for index, port in enumerate(ports):
            process = service.http(port=port, number=index + 1)
            running.callback(process.stop)
            process.start()
            process.wait_until(lambda process=process: ready(process))
        yield Servers(ports, service)
