"""docs/operations.md held against Docker's own compose, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from local.tests.images import FILE, PRODUCTION
from local.tests.operations import TEXT, printed

if TYPE_CHECKING:
    from pathlib import Path

UNDER_DOCKER = "On one machine, with Docker"


def compose(*words: str, folder: Path | None = None) -> str:
    """Run it with nothing of our own environment, and return what it says; skip where it is not."""
    docker = shutil.which("docker") or ""
    version = [docker, "compose", "version"]
    if not docker or subprocess.run(version, check=False, capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [docker, *words], cwd=folder, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def options(*words: str) -> set[str]:
    """Return every option that a command of docker's knows."""
    return set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", compose(*words, "--help")))


def test_the_printed_file_makes_every_command_one_of_production(tmp_path: Path) -> None:
    for file in (FILE, PRODUCTION):
        shutil.copy(file, tmp_path)
    (settings,) = printed("ini", under=UNDER_DOCKER)
    (tmp_path / ".env").write_text(settings)
    assert compose("compose", "config", "--quiet", folder=tmp_path) == ""
    described = yaml.safe_load(compose("compose", "config", folder=tmp_path))
    published = {each["published"] for each in described["services"]["traefik"]["ports"]}
    assert published == {"80", "443", "8001"}
    assert described["secrets"]["tls_key"]["file"] == "/etc/parley/key.pem"


def test_the_printed_commands_are_ones_that_docker_knows() -> None:
    commands = re.findall(r"docker (compose \w+|\w+)((?: --?[\w-]+(?:[= ][\w./=]+)?)*)", TEXT)
    assert len(commands) > 20
    for verb, words in commands:
        used = set(re.findall(r"(?<= )--?[a-zA-Z][\w-]*", words))
        assert used <= options(*verb.split()), (verb, words)
