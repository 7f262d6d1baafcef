"""Each contract about imports is broken once, in a copy, and has to say so."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {
    "auth_service": ("accounts", "config"),
    "messaging_service": ("messaging", "config"),
}
LAYERS = "Layers: a module knows only what is below it"
TABLES = "No door touches a table"
TELLING = "Only actions tell"
CONFIGURATION = "The service is configured, and does not know by what"
KIT = "service_kit knows no service"

# Which contract is broken by which line at the end of which file (a new one, if it is not there).
BREAKS = {
    "auth_service": [
        (LAYERS, "accounts/models/sessions.py", "import accounts.actions.sessions"),
        (LAYERS, "accounts/tokens.py", "import accounts.serializers"),
        (LAYERS, "accounts/utils.py", ""),
        (TABLES, "accounts/http/me.py", "from accounts.models import User"),
        (TABLES, "accounts/http/me.py", "import psycopg2"),
        (CONFIGURATION, "accounts/passwords.py", "import config.settings"),
        (KIT, "service_kit/tokens.py", "import accounts.models"),
        (KIT, "service_kit/tokens.py", "import config.settings"),
    ],
    "messaging_service": [
        (LAYERS, "messaging/models/rooms.py", "import messaging.permissions"),
        (LAYERS, "messaging/http/rooms.py", "import messaging.websocket.hub"),
        (LAYERS, "messaging/websocket/hub/hub.py", "import messaging.http.rooms"),
        (LAYERS, "messaging/broadcast.py", "import messaging.queries.rooms"),
        (LAYERS, "messaging/queries/rooms.py", "import messaging.actions.rooms"),
        (LAYERS, "messaging/helpers.py", ""),
        (TABLES, "messaging/http/rooms.py", "from messaging.models import Room"),
        (TABLES, "messaging/websocket/hub/hub.py", "from messaging.models.rooms import Room"),
        (TABLES, "messaging/websocket/hub/hub.py", "import psycopg2"),
        (TELLING, "messaging/http/rooms.py", "from messaging.broadcast import publish"),
        (
            TELLING,
            "messaging/websocket/commands/messages.py",
            "from messaging.broadcast import publish",
        ),
        (CONFIGURATION, "messaging/events.py", "import config.settings"),
        (KIT, "service_kit/tokens.py", "import messaging.models"),
        (KIT, "service_kit/tokens.py", "import config.settings"),
    ],
}
ALL_BREAKS = [
    pytest.param(service, *each, id=f"{each[1]}: {each[2] or 'a file of no layer'}")
    for service, breaks in BREAKS.items()
    for each in breaks
]


def copy_packages(service: str, into: Path) -> Path:
    for package in PACKAGES[service]:
        shutil.copytree(ROOT / service / package, into / package)
    shutil.copytree(ROOT / "shared" / "service_kit", into / "service_kit")
    shutil.copy2(ROOT / service / ".importlinter", into)
    return into


def verdicts(folder: Path) -> dict[str, str]:
    """Say of each contract whether it is KEPT or BROKEN."""
    command = "import sys; from importlinter.cli import lint_imports_command as main; main()"
    linter = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [
        line.split("(")[0].rsplit(maxsplit=1)
        for line in linter.stdout.splitlines()
        if line.split("(")[0].rstrip().endswith((" KEPT", " BROKEN"))
    ]
    assert found, linter.stdout + linter.stderr
    assert (linter.returncode == 0) == all(verdict == "KEPT" for _, verdict in found)
    return dict(found)


def contracts(service: str) -> list[str]:
    file = configparser.ConfigParser()
    file.read(ROOT / service / ".importlinter")
    return [file[section]["name"] for section in file.sections() if ":contract:" in section]


class TestContracts:
    @pytest.mark.parametrize("service", PACKAGES)
    def test_are_kept(self, service: str, tmp_path: Path) -> None:
        assert verdicts(copy_packages(service, tmp_path)) == dict.fromkeys(
            contracts(service), "KEPT"
        )

    @pytest.mark.parametrize(("service", "contract", "file", "line"), ALL_BREAKS)
    def test_report_what_breaks_them(
        self, service: str, contract: str, file: str, line: str, tmp_path: Path
    ) -> None:
        folder = copy_packages(service, tmp_path)
        with (folder / file).open("a") as source:
            source.write(f"\n{line}\n")
        assert verdicts(folder)[contract] == "BROKEN"

    @pytest.mark.parametrize("service", PACKAGES)
    def test_are_each_broken_here_once(self, service: str) -> None:
        assert set(contracts(service)) == {contract for contract, _, _ in BREAKS[service]}
