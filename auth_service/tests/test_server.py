"""The service as it is run: gunicorn on a durable Postgres of its own, over a real socket."""

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from local.ports import free_ports
from local.postgres import Postgres

SERVICE = Path(__file__).resolve().parent.parent
LOGIN = {"username": "alice", "password": "correct horse battery"}


class TestWsgi:
    def test_refuses_to_start_on_a_postgres_that_may_forget(self, run_with):
        done = run_with({"POSTGRES_MANAGED": "false"}, "import config.wsgi")
        assert done.returncode == 1
        assert "fsync=off" in done.stderr

    def test_starts_where_somebody_vouches_for_it(self, db, run_with):
        migrated = {"POSTGRES_MANAGED": "true", "DB_NAME": connection.settings_dict["NAME"]}
        done = run_with(migrated, "import config.wsgi")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Run the service; yields its port, its Postgres and the file it logs to."""
    folder = tmp_path_factory.mktemp("system")
    ports, password = free_ports(2), secrets.token_hex(16)
    postgres = Postgres(
        home=folder / "postgres", logs=folder / "log", port=ports[0], password=password
    )
    log = folder / "service.log"
    try:
        postgres.start()
        postgres.provide("auth", password=password)
        environment = os.environ | {
            "PYTHONPATH": str(SERVICE.parent / "shared"),
            "DB_PORT": str(ports[0]),
            "DB_NAME": "auth",
            "DB_USER": "auth",
            "DB_PASSWORD": password,
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        run = {"cwd": SERVICE, "env": environment}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, **run)
        with log.open("wb") as output, _gunicorn(ports[1], output, run) as server:
            try:
                _wait_until_ready(ports[1])
                yield SimpleNamespace(port=ports[1], postgres=postgres, log=log)
            finally:
                server.terminate()
    finally:
        postgres.stop()


def _gunicorn(port: int, output: Any, run: dict[str, Any]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", f"--bind=127.0.0.1:{port}"]
    command += ["--workers=1", "--threads=4", "--worker-class=gthread", "--no-control-socket"]
    return subprocess.Popen(command, stdout=output, stderr=output, **run)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if ask(port, "GET", "/health/ready")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail("the service did not become ready")


def ask(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, Any]:
    """Send one request on a connection of its own."""
    raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as link:
        link.request(method, path, raw, {"Content-Type": "application/json"} | headers)
        answer = link.getresponse()
        told = answer.read()
    return answer.status, answer.headers, json.loads(told) if told else None


class TestServer:
    def test_signs_people_in_and_out(self, system):
        asked = LOGIN | {"email": "alice@example.com"}
        status, _, told = ask(system.port, "POST", "/api/auth/register/", asked)
        bearer = {"Authorization": f"Bearer {told['access']}"}
        assert status == 201
        assert ask(system.port, "GET", "/api/auth/me/", **bearer)[2] == told["user"]
        assert ask(system.port, "POST", "/api/auth/logout/", **bearer)[0] == 204
        assert ask(system.port, "GET", "/api/auth/me/", **bearer)[0] == 401
        assert ask(system.port, "POST", "/api/auth/login/", LOGIN)[0] == 200

    def test_refuses_a_large_body_unread(self, system):
        status, headers, told = ask(system.port, "POST", "/api/auth/login/", b"x" * 1_000_000)
        assert (status, told["code"]) == (413, "too_large")
        assert headers["Content-Type"] == "application/problem+json"

    def test_reads_no_body_without_a_length(self, system):
        with closing(http.client.HTTPConnection("127.0.0.1", system.port, timeout=20)) as link:
            chunks = iter([b"x" * 40_000] * 4)
            headers = {"Content-Type": "application/json"}
            link.request("POST", "/api/auth/login/", chunks, headers, encode_chunked=True)
            assert link.getresponse().status == 400

    @pytest.mark.parametrize(
        "path", ["/api/auth/users/%ff%fe/", "/api/auth/users/by-username/%00/", "/%E0%A4%A", "//"]
    )
    def test_survives_a_hostile_path(self, system, path):
        assert ask(system.port, "GET", path)[0] in {401, 404}

    def test_logs_no_password_no_token_and_no_query(self, system):
        told = ask(system.port, "POST", "/api/auth/login/", LOGIN)[2]
        bearer = {"Authorization": f"Bearer {told['access']}"}
        ask(system.port, "GET", "/api/auth/users/?search=canary", **bearer)
        ask(system.port, "POST", "/api/auth/refresh/", {"refresh": told["refresh"]})
        logged = system.log.read_text()
        assert '"path": "/api/auth/users/"' in logged
        for secret in ("canary", LOGIN["password"], told["access"], told["refresh"]):
            assert secret not in logged

    def test_refuses_cleanly_without_postgres_and_comes_back(self, system):
        system.postgres.process.stop()
        try:
            began = time.monotonic()
            status, headers, told = ask(system.port, "POST", "/api/auth/login/", LOGIN)
            assert time.monotonic() - began < 5
            assert (status, told["code"], headers["Retry-After"]) == (503, "unavailable", "1")
            assert ask(system.port, "GET", "/health/ready")[0] == 503
            assert ask(system.port, "GET", "/health/live")[0] == 200
            assert ask(system.port, "GET", "/.well-known/jwks.json")[0] == 200
        finally:
            system.postgres.start()
        # Each thread finds its own connection broken once.
        statuses = [ask(system.port, "POST", "/api/auth/login/", LOGIN)[0] for _ in range(12)]
        assert statuses[-1] == 200
        assert set(statuses) <= {200, 503}
