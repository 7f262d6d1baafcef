"""docker-compose.yaml and the Dockerfiles read, and the images as folders, for want of Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = ROOT / "docker-compose.yaml"
PRODUCTION = ROOT / "compose.prod.yaml"
SECRETS = "/run/secrets"
# Which container is of which service.
HTTP = {"authservice": "auth_service", "messaging_service": "messaging_service"}
SERVERS = (*HTTP, "messaging_sockets")
MIGRATIONS = {"auth_migrate": "auth_service", "messaging_migrate": "messaging_service"}


class ComposeLoader(yaml.SafeLoader):
    """YAML with the one tag that Compose adds: what it marks replaces instead of adding."""


def _override(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return list(loader.construct_sequence(node))


ComposeLoader.add_constructor("!override", _override)


def compose(file: Path = FILE, **settings: str) -> dict[str, Any]:
    """Return what a file says: these for `${NAME…}`, and of `${OTHER:-default}` the default."""
    text = file.read_text()
    for name, value in settings.items():
        text = re.sub(rf"\$\{{{name}(:?[?-][^}}]*)?\}}", value, text)
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    described: dict[str, Any] = yaml.load(text, ComposeLoader)  # noqa: S506 - a safe one
    return described


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one compose file over another, as Compose merges what ours hold.

    Mounts are replaced by where they are mounted; other lists, of which all are marked, whole.
    """
    result = dict(below)
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            result[name] = merged(below[name], value)
        elif name == "volumes":
            targets = {mount.split(":")[1]: mount for mount in [*below.get(name, ()), *value]}
            result[name] = list(targets.values())
        else:
            result[name] = value
    return result


def config(*files: Path, profiles: str = "", **settings: str) -> dict[str, Any]:
    """Return what Docker's own compose makes of these files; skip the test where it is not."""
    docker = shutil.which("docker") or ""
    version = [docker, "compose", "version"]
    if not docker or subprocess.run(version, check=False, capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    named = [word for file in files for word in ("--file", str(file))]
    answer = subprocess.run(
        # Not with what an operator's .env says.
        [docker, "compose", "--env-file", os.devnull, *named, "config", "--format", "json"],
        env={**os.environ, "COMPOSE_PROFILES": profiles, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    described: dict[str, Any] = json.loads(answer.stdout)
    return described


def dockerfile(service: str) -> str:
    """Return its instructions, each on one line."""
    return (ROOT / service / "Dockerfile").read_text().replace("\\\n", " ")


def instruction(service: str, name: str) -> str:
    """Return the argument of the last instruction of this name."""
    return str(re.findall(rf"(?m)^{name} (.+)$", dockerfile(service))[-1])


def command(container: str) -> list[str]:
    """Return what a container runs: its own command or that of its image."""
    described = compose()["services"][container]
    service = described["image"].removeprefix("parley/")
    words = described.get("entrypoint") or described.get("command")
    return list(words or json.loads(instruction(service, "CMD")))


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


@dataclass
class Image:
    """What the Dockerfile of `service` copies, in `folder`, with `secrets` mounted."""

    service: str
    folder: Path
    secrets: Path

    def __post_init__(self) -> None:
        leave_out = shutil.ignore_patterns("tests", "__pycache__", ".*")
        for source, target in re.findall(r"(?m)^COPY (\w\S+) (/app\S+)$", dockerfile(self.service)):
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, self._inside(target), ignore=leave_out)
        ((mounted, link),) = re.findall(r"ln -s (\S+) (\S+)", dockerfile(self.service))
        assert mounted == SECRETS
        Path(self._inside(link)).parent.mkdir()
        Path(self._inside(link)).symlink_to(self._mount())

    def _mount(self) -> Path:
        """Return a copy of the secrets in which they lie where their paths say."""
        copy = self.folder / "secrets"
        shutil.copytree(self.secrets, copy)
        for file in copy.glob("*.env"):
            file.write_text(file.read_text().replace(SECRETS, str(copy)))
        return copy

    def run(self, container: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this image's container with nothing of our own environment."""
        variables = re.findall(r"(\w+)=(\S+)", instruction(self.service, "ENV"))
        environment = {
            **{name: self._inside(value) for name, value in variables},
            **compose()["services"][container].get("environment", {}),
            **settings,
            "PATH": os.defpath,
        }
        return subprocess.run(
            [sys.executable if word == "python" else word for word in words],
            cwd=self._inside(instruction(self.service, "WORKDIR")),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _inside(self, path: str) -> str:
        return re.sub(r"^/app", str(self.folder / "app"), path)
