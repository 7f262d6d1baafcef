"""What containers run, and what they tell it, beside what `make run` starts."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from gunicorn.config import KNOWN_SETTINGS  # type: ignore[import-untyped]

import local.gunicorn
import service_kit.gunicorn
from local.mailbox import Mailbox
from local.postgres import _INITDB, Postgres
from local.redis import _CONFIG
from local.services import ROOT, Service
from local.settings_reference import read
from local.stack import Stack
from local.tests.images import HTTP, MIGRATIONS, SERVERS, command, compose, instruction, options
from local.tether import FILES

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

CONTAINERS = compose()["services"]


def configured(module: ModuleType) -> dict[str, object]:
    """Return what gunicorn reads in it."""
    known = {setting.name for setting in KNOWN_SETTINGS}
    return {name: value for name, value in vars(module).items() if name in known}


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
            assert unknown == set(), service.name


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

    @pytest.mark.parametrize("name", HTTP)
    def test_of_http_are_configured_alike(self, name: str, service: Service) -> None:
        """Here by a file with all there is in the module, and one hook of its own."""
        file = options(service.http(port=1).command, leave_out=set())["--config"]
        assert file == local.gunicorn.__file__
        module = options(command(name), leave_out=set())["--config"]
        assert module == f"python:{service_kit.gunicorn.__name__}"
        own = {"post_fork": local.gunicorn.post_fork}
        assert configured(local.gunicorn) == configured(service_kit.gunicorn) | own

    @pytest.mark.parametrize("name", HTTP.values())
    def test_of_ours_are_told_the_same_of_their_processes(self, name: str, tmp_path: Path) -> None:
        """Such as how glibc allocates."""
        machine = {"PATH", "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "TMPDIR"}
        process = Service(name=name, logs=tmp_path, scratch=tmp_path).http(port=1)
        ours = {each for each in process.environment.items() if each[0] not in machine}
        theirs = re.findall(r"(\w+)=(\S+)", instruction(name, "ENV"))
        assert {each for each in theirs if each[0] not in machine} == ours

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

    def test_of_the_mailbox(self, tmp_path: Path) -> None:
        """Where services send mails, where the gateway shows them, and under which path."""
        smtp, http = 1025, 8025
        settings = (ROOT / "shared" / "configs" / "env" / "auth_service.env").read_text()
        assert f"\nEMAIL_HOST=mailbox\nEMAIL_PORT={smtp}\n" in settings
        gateway = CONTAINERS["traefik"]["environment"]
        assert gateway["MAILBOX_URL"] == f"http://mailbox:{http}"
        assert CONTAINERS["mailbox"]["environment"]["MP_WEBROOT"] == "mail"
        ours = Mailbox(logs=tmp_path, smtp_port=smtp, port=http).process
        stand_in = ROOT / "local" / "tests" / "containers" / "mailpit.sh"
        assert " ".join(ours.command[1:]) in stand_in.read_text()
