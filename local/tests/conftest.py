"""A copy of the checkout in which the runner may do as it likes, and a whole system to look at."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from local.services import ROOT
from local.testing import isolated_stack
from local.tests.containers.network import is_possible
from local.tests.containers.project import Project
from local.tests.images import compose
from local.tests.runners import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack

PARTS = ("auth_service", "messaging_service", "shared", "local", "traefik", "Makefile")


def copy_checkout(into: Path) -> Path:
    into.mkdir(parents=True)
    leave_out = shutil.ignore_patterns("__pycache__", "tests", ".*cache", ".data")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, into / part, ignore=leave_out)
        else:
            shutil.copy2(ROOT / part, into / part)
    return into


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lie at a path with a blank, too deep for any Unix socket, closed to others."""
    top = tmp_path_factory.mktemp("closed to others")
    top.chmod(0o700)
    return copy_checkout(top / "/".join(["a-folder-in-a-folder"] * 5) / "parley")


@pytest.fixture
def runner(checkout: Path) -> Iterator[Runner]:
    """Not started yet. Whatever is left of it at the end is killed, after it was counted."""
    runner = Runner(checkout)
    yield runner
    runner.end()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with isolated_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Containers of docker-compose.yaml; test_containers.py is the last to look, and stops ours."""
    if not is_possible():
        pytest.skip("takes root, for other users and networks, and iproute2 and util-linux")
    folder = tmp_path_factory.mktemp("project")
    # Users of containers pass through it.
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o711)
    scale = {"messaging_service": 2, "messaging_sockets": 3}
    project = Project(described=compose(), folder=folder, scale=scale)
    try:
        project.up()
        yield project
    finally:
        project.down()


@pytest.fixture(autouse=True)
def default_signals() -> None:
    """Hear Ctrl-C again: in the background of a plain shell it is ignored, by children too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
