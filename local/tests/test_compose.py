"""docker-compose.yaml as Compose reads it: what fits together, and what containers may."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.compose import READERS
from local.services import ROOT
from local.tests.images import (
    FILE,
    MIGRATIONS,
    PRODUCTION,
    SERVERS,
    command,
    compose,
    config,
    instruction,
    options,
)

if TYPE_CHECKING:
    from pathlib import Path

CONTAINERS = compose()["services"]


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

    def test_tells_the_gateway_what_its_files_ask_for(self) -> None:
        files = (ROOT / "traefik" / "dynamic").glob("*.yaml")
        asked = {name for file in files for name in re.findall(r'env "(\w+)"', file.read_text())}
        for file in (FILE, PRODUCTION):
            assert compose(file)["services"]["traefik"]["environment"].keys() <= asked

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
