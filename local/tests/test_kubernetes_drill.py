"""What docs/operations.md prints to keep and bring back, run with a Postgres and no cluster.

Whatever is asked of kubectl is only written down, but for what is run in a pod: that is run here.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local.binaries import postgres_package, postgres_program
from local.ports import LOOPBACK, free_ports
from local.postgres import THROW_AWAY, Postgres
from local.tests.operations import printed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BACK_UP, RESTORE = printed("bash", under="Backups on Kubernetes")
EXAMPLE = "backups/2026-11-22_03-00-00"
KUBECTL = r"""#!/bin/bash
echo ${*} >> calls
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
[ $# -eq 0 ] || exec "$2" "$3" "${4//\/var\/lib\/parley/volume}"
"""


@dataclass
class Operator:
    folder: Path
    postgres: Postgres

    def runs(self, script: str) -> subprocess.CompletedProcess[str]:
        programs = postgres_program("psql", package=postgres_package()).parent
        return subprocess.run(
            ["bash", "-c", script.replace("postgres.example.org", LOOPBACK)],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder}:{programs}:{os.defpath}",
                "PGPORT": str(self.postgres.port),
                "PGPASSWORD": self.postgres.password,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def says(self, database: str, statement: str) -> list[object]:
        with closing(self.postgres.connect(database)) as link, link.cursor() as cursor:
            cursor.execute(statement)
            return [each for (each,) in cursor.fetchall()] if cursor.description else []

    def writes(self, what: str) -> None:
        for name in ("messaging", "auth"):
            self.says(name, f"INSERT INTO written VALUES ('{what}')")  # noqa: S608 - our own words
        (self.folder / "volume" / "media" / what).write_text(what)

    def finds(self) -> list[set[object]]:
        pictures: set[object] = {each.name for each in (self.folder / "volume" / "media").iterdir()}
        rows = [set(self.says(name, "SELECT * FROM written")) for name in ("messaging", "auth")]
        return [*rows, pictures]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    postgres = Postgres(
        home=folder / "postgres",
        logs=folder,
        port=free_ports(1)[0],
        password="any",
        settings=THROW_AWAY,
    )
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o700)
    (folder / "volume" / "media").mkdir(parents=True)
    operator = Operator(folder, postgres)
    try:
        postgres.start()
        for name in ("messaging", "auth"):
            postgres.provide(name, password=name)
            operator.says(name, f"SET ROLE {name}; CREATE TABLE written (what text)")
        yield operator
    finally:
        postgres.stop()


@pytest.fixture
def kept(operator: Operator, tmp_path: Path) -> Path:
    """Return the folder of a backup, after which more was written."""
    operator.writes("before")
    done = operator.runs(BACK_UP)
    assert done.returncode == 0, done.stderr
    (folder,) = (operator.folder / "backups").iterdir()
    folder = folder.rename(tmp_path / folder.name)
    operator.writes("later")
    (operator.folder / "calls").unlink()
    return folder


def test_a_broken_dump_stops_nothing(operator: Operator, kept: Path) -> None:
    whole = (kept / "auth.dump").read_bytes()
    (kept / "auth.dump").write_bytes(whole[: len(whole) // 2])
    assert operator.runs(RESTORE.replace(EXAMPLE, str(kept))).returncode != 0
    assert operator.calls() == []
    assert operator.finds() == [{"before", "later"}] * 3


def test_what_was_kept_comes_back_while_nobody_uses_it(operator: Operator, kept: Path) -> None:
    modes = {each.name: each.stat().st_mode & 0o777 for each in kept.iterdir()}
    assert modes == dict.fromkeys(("messaging.dump", "auth.dump", "media.tar"), 0o600)
    operator.writes("last")
    brought = operator.runs(RESTORE.replace(EXAMPLE, str(kept)))
    assert brought.returncode == 0, brought.stderr
    assert "last" not in set.union(*operator.finds())
    assert "last" in operator.says("messaging_before", "SELECT * FROM written")
    owners = operator.says("auth", "SELECT tableowner FROM pg_tables WHERE tablename = 'written'")
    assert owners == ["auth"]
    strangers = "SELECT has_database_privilege('auth', 'messaging', 'CONNECT')"
    assert operator.says("auth", strangers) == [False]
    steps = [each.removeprefix("--namespace parley ").split()[0] for each in operator.calls()]
    assert steps == [
        *("scale", "wait", "delete", "apply", "wait", "create", "wait", "scale"),
        *("rollout", "exec"),
    ]
