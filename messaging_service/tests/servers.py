"""Real processes of this service and of auth_service, started as `make run` starts them."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection

from local.ports import LOOPBACK, free_ports
from local.processes import Process
from local.secrets import ensure_private_key
from local.services import Service, ready
from service_kit.testing import public_key_pem

# Where conftest.py says under which server the socket processes run.
SOCKET_SERVER = "SOCKET_SERVER"


def closing_with(code: int, *, while_opening: bool = False) -> int:
    """What comes of closing a socket with this code: Daphne cannot say 1001 to 2999."""
    if os.environ[SOCKET_SERVER] == "daphne" and 1001 <= code < 3000:
        return 1011 if while_opening else 1000
    return code


@dataclass(frozen=True)
class Server:
    """A process of the service that is ready."""

    process: Process

    @property
    def port(self) -> int:
        assert self.process.port is not None
        return self.process.port

    @property
    def address(self) -> str:
        """Where its sockets are, without a slash at the end."""
        return f"ws://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        return self.process.log.read_text()


@contextmanager
def start_servers(
    folder: Path, *, sockets: int = 0, http: int = 0, **environment: str
) -> Iterator[list[Server]]:
    """Run processes of messaging_service on the test database, its socket processes first.

    `environment` wins over the settings of this process.
    """
    service = messaging_service(folder, **environment)
    ports = free_ports(sockets + http)
    under = os.environ[SOCKET_SERVER]
    processes = [
        service.sockets(number=n, port=port, server=under) for n, port in enumerate(ports[:sockets])
    ]
    processes += [service.http(port=port) for port in ports[sockets:]]
    with run(*processes):
        yield [Server(process) for process in processes]


def messaging_service(folder: Path, **environment: str) -> Service:
    """This service, trusting the test key."""
    own = {
        "DB_NAME": str(settings.DATABASES["default"]["NAME"]),
        "JWT_PUBLIC_KEY": public_key_pem(),
    }
    return Service(
        name="messaging_service",
        logs=folder / "log",
        scratch=folder,
        environment=own | environment,
    )


@contextmanager
def run(*processes: Process) -> Iterator[None]:
    """Start processes, and stop them in the end; yields when all are ready."""
    with ExitStack() as running:
        for process in processes:
            running.callback(process.stop)
            process.start()
        for process in processes:
            process.wait_until(lambda process=process: ready(process))  # type: ignore[misc]
        yield
        for process in processes:
            process.ask_to_stop()


@dataclass(frozen=True)
class AuthService:
    """The real auth_service, to register people with."""

    process: Process
    database: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.process.port}"

    def register(self, username: str) -> str:
        """Somebody messaging has never seen; returns the user id."""
        asked = {"username": username, "password": token_hex(8), "display_name": username.title()}
        body = json.dumps(asked | {"email": f"{username}@example.com"})
        kind = {"Content-Type": "application/json"}
        with closing(HTTPConnection(LOOPBACK, self.process.port, timeout=10)) as link:
            link.request("POST", "/api/auth/register/", body, kind)
            answer = json.loads(link.getresponse().read())
        return str(answer["user"]["id"])

    def deactivate(self, user_id: str) -> None:
        """Close an account, as an operator would in the database."""
        with closing(psycopg2.connect(**self.database)) as link, link.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET is_active = false WHERE id = %s", [user_id])
            link.commit()


@contextmanager
def start_auth_service(folder: Path) -> Iterator[AuthService]:
    """Run auth_service on a database of its own in the same Postgres."""
    with closing(psycopg2.connect(**connection.get_connection_params())) as link:
        link.autocommit = True
        link.cursor().execute("CREATE DATABASE auth")
    ensure_private_key(folder / "key.pem")
    own = {"DB_NAME": "auth", "JWT_PRIVATE_KEY_FILE": str(folder / "key.pem")}
    service = Service(name="auth_service", logs=folder, scratch=folder, environment=own)
    service.manage("migrate", "-v0").run(seconds=30)
    process = service.http(port=free_ports(1)[0])
    with run(process):
        yield AuthService(process, connection.get_connection_params() | {"dbname": "auth"})
