"""Logging in, beside the bare hash that is most of it; and renewing a session."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.hashing import ARGON2_CFFI, LIBSODIUM, Load, hashed
from bench.http_client import Connection, connect
from bench.measurements import Measurement, percentile, repeated
from bench.stage import turned
from local.ports import LOOPBACK, free_ports
from local.secrets import ensure_private_key
from local.services import Service, ready

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from bench.engines import Engines
    from bench.stage import Stage

LOGIN = "log in"
REFRESH = "refresh a session"
ARGON2 = "argon2, argon2-cffi"
SODIUM = "argon2, libsodium"
SECONDS = 4.0
REFRESHING = 4
NAME, PASSWORD = "measured", "over-the-hills-and-far-away"
NO_LIMITS = {"LIMIT_REFRESHES_PER_MINUTE": "1000000"}


class SigningIn:
    """One process of auth_service as `make run` starts it, and one account."""

    def __init__(self, stage: Stage) -> None:
        self._seconds = stage.seconds(SECONDS)
        self._port = free_ports(1)[0]
        database = stage.engines.provide("auth")
        stage.started.callback(database.close)
        process = _service(stage.engines)
        process.manage("migrate", "--no-input", "--verbosity", "0").run()
        server = process.http(port=self._port)
        stage.started.callback(server.stop)
        server.start()
        server.wait_until(lambda: ready(server))
        with closing(self._connect()) as link:
            email = f"{NAME}@example.com"
            ask(link, "register", {"username": NAME, "email": email, "password": PASSWORD})
        with database.cursor() as cursor:
            cursor.execute("SELECT password FROM accounts_user")
            [(kept,)] = cursor.fetchall()
        kept = kept.removeprefix("argon2")
        hash_with = partial(Load, kept=kept, password=PASSWORD, seconds=self._seconds)
        self._argon2, self._sodium = hash_with(library=ARGON2_CFFI), hash_with(library=LIBSODIUM)

    def measure(self, number: int) -> Iterator[Measurement]:
        with closing(self._connect()) as link:
            ways: list[tuple[str, Callable[[], list[float]]]] = [
                ("parley", lambda: repeated(lambda: _log_in(link), self._seconds)),
                (ARGON2, lambda: hashed(self._argon2)),
                (SODIUM, lambda: hashed(self._sodium)),
            ]
            for system, taken in turned(ways, number):
                yield _measurement(LOGIN, system, number, taken())
        with ThreadPoolExecutor(REFRESHING) as threads:
            running = [threads.submit(self._refresh) for _ in range(REFRESHING)]
            renewed = [each for thread in running for each in thread.result()]
        yield _measurement(REFRESH, "parley", number, renewed, at_once=REFRESHING)

    def _refresh(self) -> list[float]:
        with closing(self._connect()) as link:
            held = {"refresh": _log_in(link)["refresh"]}

            def renew() -> None:
                held["refresh"] = ask(link, "refresh", held)["refresh"]

            return repeated(renew, self._seconds)

    def _connect(self) -> socket.socket:
        return connect(self._port)


def _service(engines: Engines) -> Service:
    scratch = engines.home / "scratch"
    scratch.mkdir(exist_ok=True)
    key = engines.home / "jwt-private-key.pem"
    ensure_private_key(key)
    own = {
        **engines.settings("auth"),
        **NO_LIMITS,
        "ALLOWED_HOSTS": f"localhost,{LOOPBACK}",
        "INTERNAL_SECRET": engines.secrets.between_services,
        "JWT_PRIVATE_KEY_FILE": str(key),
        "LEAVING_SECONDS": "0",
    }
    logs = engines.home / "log"
    return Service(name="auth_service", logs=logs, scratch=scratch, environment=own)


def _log_in(link: socket.socket) -> dict[str, Any]:
    return ask(link, "login", {"username": NAME, "password": PASSWORD})


def ask(link: socket.socket, what: str, body: object) -> dict[str, Any]:
    """Post and return the answer; with no more work here than it takes, as that is measured too."""
    text = json.dumps(body)
    head = f"POST /api/auth/{what}/ HTTP/1.1\r\nHost: localhost\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    connection = Connection(link)
    connection.ask((head + kind + text).encode())
    while (answer := connection.answer()) is None:
        pass
    found: dict[str, Any] = json.loads(answer)
    return found


def _measurement(
    workload: str, system: str, number: int, taken: list[float], *, at_once: int = 1
) -> Measurement:
    return Measurement(
        round=number,
        workload=workload,
        system=system,
        throughput=at_once * len(taken) / sum(taken),
        p50=1_000 * percentile(taken, 0.5),
        p99=1_000 * percentile(taken, 0.99),
    )
