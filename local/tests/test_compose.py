"""docker-compose.yaml beside `make run`, and as much of it as runs without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.compose import READERS
from local.postgres import _INITDB, Postgres
from local.redis import _CONFIG
from local.services import ROOT, Service
from local.settings_reference import read
from local.stack import Stack
from local.tests.images import (
    FILE,
    HTTP,
    MIGRATIONS,
    PRODUCTION,
    SERVERS,
    command,
    compose,
    config,
    instruction,
)
from local.tether import FILES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CONTAINERS = compose()["services"]


def options(words: Sequence[str], *, leave_out: set[str]) -> dict[str, str]:
    """Return `--name value` pairs; a name without a value has an empty one."""
    first = next(index for index, word in enumerate(words) if word.startswith("--"))
    pairs = zip(words[first:], [*words[first + 1 :], "--"], strict=True)
    found = {
        name: "" if value.startswith("--") else value
        for name, value in pairs
        if name.startswith("--")
    }
    return {"": " ".join(words[1:first])} | {
        name: value for name, value in found.items() if name not in leave_out
    }


class TestFile:
    @pytest.mark.parametrize("file", [FILE, PRODUCTION])
    def test_is_what_compose_reads(self, file: Path, tmp_path: Path) -> None:
        plain = tmp_path / "plain.json"
        plain.write_text(json.dumps(compose(file)))
        checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
        subprocess.run([*checker, "vendor.compose-spec", str(plain)], check=True)

    def test_publishes_the_gateway_alone(self) -> None:
        published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}
        assert published == {"traefik": ["8000:8000", "127.0.0.1:8001:8001"]}

    def test_holds_every_server_the_gateway_looks_for(self) -> None:
        routes = (ROOT / "traefik" / "dynamic" / "routes.yaml").read_text()
        looked_for = dict(re.findall(r'default "http://(\w+):(\d+)"', routes))
        assert looked_for.keys() == set(SERVERS)
        for name, port in looked_for.items():
            words = options(command(name), leave_out=set())
            assert words.get("--bind", f"{words.get('--host')}:{words.get('--port')}") == (
                f"0.0.0.0:{port}"
            )

    def test_means_what_compose_takes_it_for(self) -> None:
        """Where Docker's own compose is at hand: interpolation, merges and references too."""
        assert config(FILE, profiles="observability")["services"].keys() == CONTAINERS.keys()

    def test_mounts_nothing_of_the_machine_but_this_checkout(self) -> None:
        mounts = [mount for each in CONTAINERS.values() for mount in each.get("volumes", ())]
        sources = {mount.split(":")[0] for mount in mounts} - compose()["volumes"].keys()
        assert all((ROOT / source).exists() and source.startswith("./") for source in sources)

    @pytest.mark.parametrize("name", SERVERS)
    def test_every_server_waits_for_its_migrations(self, name: str) -> None:
        migration = "auth_migrate" if name == "authservice" else "messaging_migrate"
        done = {"condition": "service_completed_successfully"}
        assert CONTAINERS[name]["depends_on"][migration] == done
        assert CONTAINERS[migration]["depends_on"]["secrets"] == done

    @pytest.mark.parametrize("name", CONTAINERS)
    def test_every_container_may_do_little(self, name: str) -> None:
        described = CONTAINERS[name]
        assert described["cap_drop"] == ["ALL"]
        assert described["security_opt"] == ["no-new-privileges:true"]
        assert described.get("read_only", False) is (name != "postgres")
        assert ("cap_add" in described) is (described.get("user") == "root") is (name == "secrets")

    def test_can_be_scaled(self) -> None:
        for name in SERVERS:
            assert CONTAINERS[name].keys().isdisjoint({"container_name", "hostname", "ports"})

    @pytest.mark.parametrize("name", [*SERVERS, *MIGRATIONS])
    def test_our_containers_are_of_one_user(self, name: str) -> None:
        described = CONTAINERS[name]
        assert "user" not in described
        image = described["image"].removeprefix("parley/")
        assert instruction(image, "USER") == f"{READERS[image]}:{READERS[image]}"


class TestProcesses:
    def test_are_those_of_make_run(self, tmp_path: Path) -> None:
        stack = Stack(home=tmp_path, port=1, operators_port=2)
        stack.postgres.account.close()
        started = Counter(
            process.name.partition("-")[0]
            for process in (
                *(stack.postgres.process, stack.redis.process, stack.traefik.process),
                stack.mailbox.process,
                *stack.servers,
            )
        )
        described = Counter(
            {
                HTTP.get(name, name): each.get("scale", 1)
                for name, each in CONTAINERS.items()
                if "restart" in each and "profiles" not in each
            }
        )
        assert described == started

    def test_are_told_nothing_that_services_do_not_read(self, tmp_path: Path) -> None:
        stack = Stack(home=tmp_path, port=1, operators_port=2)
        stack.postgres.account.close()
        for service in (stack.auth, stack.messaging):
            containers = [each for each in SERVERS if service.name in CONTAINERS[each]["image"]]
            told = [CONTAINERS[each].get("environment", {}).keys() for each in containers]
            unknown = set().union(service.environment, *told) - read(service.name).keys()
            # One of messaging_service's, which auth_service is told too.
            assert unknown <= {"JWKS_CACHE_FILE"}, service.name


class TestCommands:
    """The same options as under `make run`, but for what is of the machine."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Service:
        return Service(name="messaging_service", logs=tmp_path, scratch=tmp_path)

    @pytest.mark.parametrize("name", HTTP)
    def test_of_http(self, name: str, service: Service) -> None:
        # Ending with a killed master is the container's business, as is the folder for files.
        machine = {"--bind", "--config", "--worker-tmp-dir"}
        ours = options(service.http(port=1).command, leave_out=machine)
        assert options(command(name), leave_out=machine) == ours

    def test_of_sockets(self, service: Service) -> None:
        machine = {"--host", "--port"}
        ours = options(service.sockets(number=1, port=1).command, leave_out=machine)
        assert options(command("messaging_sockets"), leave_out=machine) == ours

    @pytest.mark.parametrize("name", MIGRATIONS)
    def test_of_migrations(self, name: str, service: Service) -> None:
        assert command(name)[1:] == service.manage("migrate", "--no-input").command[1:]

    @pytest.mark.parametrize("name", SERVERS)
    def test_as_many_files_are_allowed(self, name: str) -> None:
        assert CONTAINERS[name]["ulimits"] == {"nofile": FILES}

    def test_of_postgres(self, tmp_path: Path) -> None:
        server = Postgres(home=tmp_path, logs=tmp_path, port=1, password="any")
        server.account.close()
        machine = ("listen_addresses=", "unix_socket_directories=", "port=")
        words = server.process.command
        settings = {word for word in words if "=" in word and not word.startswith((*machine, "-"))}
        theirs = set(command("postgres")) - {"postgres", "-c"}
        assert theirs == {word for word in settings if "/" not in word}
        arguments = CONTAINERS["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
        ours = {each for each in _INITDB if not each.startswith("--username")}
        # There the server listens on a file too, for who is in the container.
        assert set(arguments) - {"--auth-local=peer"} == {
            each.replace("--auth=", "--auth-host=") for each in ours
        }

    def test_of_redis(self) -> None:
        kept = {"save": '""', "appendonly": "no"}
        ours = dict(line.split(maxsplit=1) for line in _CONFIG.splitlines())
        assert {name: ours[name] for name in kept} == kept
        assert command("redis")[1:] == ["--save", "", "--appendonly", "no"]
