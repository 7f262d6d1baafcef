"""docker-compose.yaml brought up whole, without Docker: trees, users, rights, names, order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import Request, urlopen

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from e2e.people import PASSWORD, Person
from local.tests.certificates import write_certificate
from local.tests.containers.network import inside
from local.tests.containers.project import Project, visit
from local.tests.images import HTTP, PRODUCTION, SERVERS, compose, merged
from local.tests.observability import ADDED, expressions, labels_of, selectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.tests.containers.container import Container

T = TypeVar("T")

CONTAINERS = compose()["services"]
PUBLIC = "localhost:8000"
DOMAIN = "chat.example.org"


def ask(path: str, body: object = None, **headers: str) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(
        f"http://{PUBLIC}{path}", data, {"Content-Type": "application/json"} | headers
    )
    with urlopen(request) as answer:  # noqa: S310 - its scheme stands above
        said: dict[str, Any] = json.load(answer)
    return said


def register(name: str) -> dict[str, Any]:
    account = {"username": name, "password": "a-walk-by-the-sea", "email": f"{name}@example.org"}
    return ask("/api/auth/register/", account)


async def talk() -> str:
    """Register two people, send as one over HTTP, and return what the other heard."""
    alice, bob = (register(name)["access"] for name in ("alice", "bob"))
    room = ask("/api/chat/rooms/", {"username": "bob"}, Authorization=f"Bearer {alice}")["room_id"]
    async with connect(f"ws://{PUBLIC}/ws/chat/{room}/?token={bob}") as socket:
        await asyncio.wait_for(socket.recv(), 10)
        path = f"/api/chat/rooms/{room}/messages/"
        ask(path, {"content": "Hello from Alice"}, Authorization=f"Bearer {alice}")
        while (heard := json.loads(await asyncio.wait_for(socket.recv(), 10)))["type"] != "message":
            pass
    return str(heard["content"])


def talk_over_tls(trusting: ssl.SSLContext) -> str:
    """Register, ask for rooms and open a socket as a page of that name; return what it is told."""
    page = {"Host": DOMAIN, "Origin": f"https://{DOMAIN}"}
    named = {"sni_hostname": DOMAIN}
    with httpx.Client(base_url="https://127.0.0.1:8443", headers=page, verify=trusting) as http:
        account = {"username": "erin", "password": PASSWORD, "email": "erin@example.org"}
        answer = http.post("/api/auth/register/", json=account, extensions=named)
        token = answer.raise_for_status().json()["access"]
        shown = {"Authorization": f"Bearer {token}"}
        http.get("/api/chat/rooms/", headers=shown, extensions=named).raise_for_status()
    return asyncio.run(first_frame(f"wss://{DOMAIN}/ws/chat/?token={token}", trusting))


async def first_frame(url: str, trusting: ssl.SSLContext) -> str:
    origin = Origin(f"https://{DOMAIN}")
    async with connect(url, host="127.0.0.1", port=8443, ssl=trusting, origin=origin) as socket:
        return str(json.loads(await asyncio.wait_for(socket.recv(), 10))["type"])


async def while_many_are_open(look: Callable[[], T]) -> T:
    """Open twelve sockets of one person and look."""
    token = register("carol")["access"]
    async with AsyncExitStack() as opened:
        for _ in range(12):
            socket = connect(f"ws://{PUBLIC}/ws/chat/?token={token}")
            await (await opened.enter_async_context(socket)).recv()
        return look()


def metrics(container: Container) -> str:
    """Ask it as Prometheus does: by its address, which no list of allowed hosts holds."""
    port = 8001 if container.name.startswith("traefik") else 8080
    address = container.execute("hostname", "--all-ip-addresses").stdout.strip()

    def ask_it() -> str:
        with urlopen(f"http://{address}:{port}/metrics") as answer:
            return str(answer.read().decode())

    return inside(container.namespace, ask_it)


def open_sockets(container: Container) -> float:
    found = re.findall(r"(?m)^parley_sockets_open\{.*\} (\S+)$", metrics(container))
    return sum(map(float, found))


def ours(project: Project) -> list[Container]:
    return [each for name in SERVERS for each in project.containers[name]]


def wait_for(container: Container, words: str) -> None:
    deadline = time.monotonic() + 20
    while words not in (said := container.log.read_text()):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


class TestUp:
    def test_starts_as_many_as_asked(self, project: Project) -> None:
        running = {name: len(project.containers[name]) for name in SERVERS}
        assert running == {"authservice": 1, **project.scale}
        assert all(each.alive() for each in ours(project))

    def test_people_talk_through_it(self, project: Project) -> None:
        assert visit(project, lambda: asyncio.run(talk())) == "Hello from Alice"

    def test_keeps_pictures_on_a_volume(self, project: Project) -> None:
        def upload() -> str:
            with Person.signs_up(f"http://{PUBLIC}", "dora") as dora:
                path = dora.shows_picture("red")
                assert dora.http.get(path).headers["Content-Type"] == "image/webp"
                return path

        path = visit(project, upload).replace("/api/auth/", "/var/lib/parley/media/")
        for each in project.containers["authservice"]:
            assert each.execute("test", "-s", path).returncode == 0

    @pytest.mark.parametrize(
        "path",
        [
            "/docs/",
            "/docs/asyncapi.yaml",
            "/static/docs/swagger-ui-bundle.js",
            "/api/auth/schema/",
            "/api/chat/schema/",
        ],
    )
    def test_shows_its_api(self, project: Project, path: str) -> None:
        def look() -> int:
            with urlopen(f"http://{PUBLIC}{path}") as answer:
                return len(answer.read())

        assert visit(project, look) > 1000

    def test_connections_spread_over_socket_processes(self, project: Project) -> None:
        servers = project.containers["messaging_sockets"]

        def count() -> list[float]:
            return [open_sockets(each) for each in servers]

        counted = visit(project, lambda: asyncio.run(while_many_are_open(count)))
        assert sum(counted) == 12
        assert len([each for each in counted if each]) > 1

    def test_its_public_face_is_the_gateway_alone(self, project: Project) -> None:
        found = visit(project, lambda: ask("/health/sockets/live"))
        assert found == {"status": "ok"}
        (gateway,) = project.containers["traefik"]
        assert gateway.execute("getent", "hosts", "authservice").returncode == 0
        assert gateway.execute("getent", "hosts", "postgres").returncode != 0


class TestObservability:
    def test_what_is_asked_for_is_counted(self, project: Project) -> None:
        """Labels too, of what has been counted by now."""
        asked = (*SERVERS, "traefik")
        known = labels_of([metrics(each) for name in asked for each in project.containers[name]])
        chosen = [each for expression in expressions() for each in selectors(expression)]
        assert {name for name, _ in chosen} <= known.keys()
        wrong = {name: labels - known[name] - ADDED for name, labels in chosen if known[name]}
        assert {name: labels for name, labels in wrong.items() if labels} == {}

    def test_has_its_routes(self, project: Project) -> None:
        for name in ("grafana", "prometheus"):
            (gateway,) = project.containers["traefik"]
            address = f"http://127.0.0.1:8001/api/http/routers/{name}@file"
            answer = gateway.execute("wget", "-q", "-O", "-", address)
            assert json.loads(answer.stdout)["status"] == "enabled"


class TestProduction:
    def test_serves_over_tls_what_serves_the_public_name(
        self, project: Project, tmp_path: Path
    ) -> None:
        """The gateway and each server of ours as in compose.prod.yaml, beside the others."""
        certificate, key = write_certificate(tmp_path, DOMAIN)
        os.chown(key, 65532, 65532)
        key.chmod(0o400)
        added = compose(
            PRODUCTION,
            DOMAIN=DOMAIN,
            EMAIL_HOST="smtp.example.org",
            TLS_CERTIFICATE=str(certificate),
            TLS_KEY=str(key),
        )
        described = merged(compose(), added)
        servers = project.start_as(described, *SERVERS)
        # Not those of docker-compose.yaml, which do not answer to that name.
        urls = (f"http://parley-{servers[name].name}:8080" for name in SERVERS)
        told = dict(zip(("AUTH_URLS", "CHAT_URLS", "SOCKETS_URLS"), urls, strict=True))
        gateway = {"environment": told}
        described = merged(described, {"services": {"traefik": gateway}})
        started = project.start_as(described, "traefik")["traefik"]
        trusting = ssl.create_default_context(cafile=certificate)
        assert inside(started.namespace, lambda: talk_over_tls(trusting)) == "ready"


class TestContainers:
    def test_may_write_only_where_it_is_declared(self, project: Project) -> None:
        for each in ours(project):
            for place in ("/", "/app", "/app/shared", "/etc", "/run/secrets", "/venv", "/usr"):
                assert each.execute("touch", f"{place}/x").returncode != 0, (each.name, place)
            assert each.execute("sh", "-c", "touch /tmp/x").returncode == 0

    def test_run_as_nobody_in_particular(self, project: Project) -> None:
        for each in ours(project):
            said = each.execute("cat", "/proc/1/status").stdout
            status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
            assert status["Uid"].split() == ["10001"] * 4
            assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}

    def test_are_told_no_secret_in_their_environment(self, project: Project) -> None:
        volumes = project.folder / "volumes"
        known = json.loads((volumes / "all_secrets" / "secrets.json").read_text()).values()
        for each in ours(project):
            environment = each.execute("cat", "/proc/1/environ").stdout
            assert "PYTHONPATH" in environment
            assert [secret for secret in known if secret in environment] == []

    @pytest.mark.parametrize("name", HTTP)
    def test_know_their_settings_when_a_command_is_run_beside(
        self, project: Project, name: str
    ) -> None:
        container = project.containers[name][0]
        for words in (["migrate", "--check"], ["doctor"]):
            answer = container.execute("python", "manage.py", *words)
            assert answer.returncode == 0, answer.stderr

    def test_run_the_commands_of_operators(self, project: Project) -> None:
        answer = project.containers["messaging_service"][0].execute(
            "python", "manage.py", "new_epoch"
        )
        assert answer.returncode == 0, answer.stderr


class TestPostgres:
    def test_is_backed_up_by_who_is_in_its_container(self, project: Project) -> None:
        (postgres,) = project.containers["postgres"]
        for name in ("auth", "messaging"):
            answer = postgres.execute("pg_dump", "--username=postgres", "--schema-only", name)
            assert answer.returncode == 0, answer.stderr
            assert "CREATE TABLE" in answer.stdout

    def test_takes_nobody_for_another(self, project: Project) -> None:
        (postgres,) = project.containers["postgres"]
        answer = postgres.execute("psql", "--username=messaging", "--no-password", "--list")
        assert answer.returncode != 0
        assert "Peer authentication failed" in answer.stderr


class TestEntrypoint:
    """Last, because the containers are stopped."""

    def test_waits_for_the_database(self, project: Project) -> None:
        (postgres,) = project.containers["postgres"]
        (migration,) = project.containers["messaging_migrate"]
        postgres.kill()
        migration.log.write_text("")
        migration.start()
        wait_for(migration, "waiting for Postgres")
        assert migration.alive()
        postgres.start()
        assert migration.wait() == 0, migration.log.read_text()

    def test_lets_its_command_hear_that_it_is_to_end(self, project: Project) -> None:
        for each in ours(project):
            each.ask_to_end()
        allowed = int(CONTAINERS["authservice"]["stop_grace_period"].removesuffix("s"))
        for each in ours(project):
            assert each.wait(seconds=allowed) in {0, -signal.SIGTERM}
