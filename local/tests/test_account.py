"""Postgres as root, as an ordinary user, and where the kernel allows no user namespaces."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from local import account
from local.account import Account, NamespaceAccount, NobodyAccount, account_for
from local.ports import free_ports
from local.postgres import THROW_AWAY, Postgres

if TYPE_CHECKING:
    from pathlib import Path

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Let nobody else enter, as into a checkout in root's home."""
    tmp_path.chmod(0o700)
    return tmp_path


def cluster(folder: Path) -> Postgres:
    return Postgres(
        home=folder / "postgres",
        logs=folder / "log",
        port=free_ports(1)[0],
        password="of-the-superuser",
        settings=THROW_AWAY,
    )


def write_and_read(postgres: Postgres) -> list[tuple[int]]:
    postgres.start()
    try:
        with closing(postgres.connect()) as link, link.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            cursor.execute("INSERT INTO kept SELECT count(*) FROM kept")
            cursor.execute("SELECT n FROM kept ORDER BY n")
            return cursor.fetchall()
    finally:
        postgres.stop()


@only_root
class TestRoot:
    def test_runs_in_a_namespace_and_files_stay_roots(self, closed: Path) -> None:
        postgres = cluster(closed)
        assert type(postgres.account) is NamespaceAccount
        assert write_and_read(postgres) == [(0,)]
        assert {path.stat().st_uid for path in (closed / "postgres").rglob("*")} == {0}

    def test_runs_as_nobody_without_namespaces(
        self, closed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(account, "_AS_NOBODY", ("false",))
        postgres = cluster(closed)
        assert type(postgres.account) is NobodyAccount
        assert write_and_read(postgres) == [(0,)]
        assert (closed / "postgres" / "data").stat().st_uid == account.NOBODY
        # The folder above was not opened for him, and the copy of the programs is gone.
        assert closed.stat().st_mode & 0o077 == 0
        assert list(closed.glob("*.programs")) == []

    def test_takes_over_files_from_one_to_the_other(
        self, closed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as without_namespaces:
            without_namespaces.setattr(account, "_AS_NOBODY", ("false",))
            assert write_and_read(cluster(closed)) == [(0,)]
        assert write_and_read(cluster(closed)) == [(0,), (1,)]

    def test_has_to_be_another_because_postgres_refuses_root(self, closed: Path) -> None:
        assert type(account_for(closed)) is not Account


class TestFirstStart:
    def test_an_interrupted_one_is_made_anew(self, closed: Path) -> None:
        unfinished = closed / "postgres" / "data.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("18")
        assert write_and_read(cluster(closed)) == [(0,)]


class TestSettings:
    def test_are_durable_unless_told_otherwise(self, closed: Path) -> None:
        postgres = cluster(closed)
        postgres.settings = {}
        postgres.process.command = postgres._command()
        postgres.start()
        try:
            with closing(postgres.connect()) as link, link.cursor() as cursor:
                for name in ("fsync", "full_page_writes", "synchronous_commit"):
                    cursor.execute(f"SHOW {name}")
                    assert cursor.fetchone() == ("on",)
        finally:
            postgres.stop()

    def test_roles_are_no_superusers_and_stay_out_of_each_others_database(
        self, closed: Path
    ) -> None:
        postgres = cluster(closed)
        postgres.start()
        try:
            postgres.provide("auth", password="a-password")
            postgres.provide("messaging", password="another")
            postgres.provide("messaging", password="another")
            with closing(postgres.connect()) as link, link.cursor() as cursor:
                cursor.execute(
                    "SELECT rolname, rolsuper, rolcreatedb, has_database_privilege("
                    "rolname, 'auth', 'CONNECT') FROM pg_roles"
                    " WHERE rolname IN ('auth', 'messaging') ORDER BY rolname"
                )
                assert cursor.fetchall() == [
                    ("auth", False, False, True),
                    ("messaging", False, False, False),
                ]
        finally:
            postgres.stop()
