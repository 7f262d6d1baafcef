"""Backups of both databases with Postgres' own programs, and of pictures; and the way back.

What is restored takes the place of what there was, which stays beside it as `<name>_before` until
the next time. A new epoch then lets every client start over: what it remembers may be newer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from psycopg2 import sql

from local.binaries import postgres_package, postgres_program
from local.errors import CannotStartError
from local.migrations import migrate
from local.ports import LOOPBACK
from local.postgres import SUPERUSER

if TYPE_CHECKING:
    from pathlib import Path

    from local.postgres import Postgres
    from local.stack import Stack

# In this order: whom messaging knows of, and which events it has seen, is in auth's then too.
DATABASES = ("messaging", "auth")


def back_up(stack: Stack, folder: Path) -> None:
    """Write the databases and pictures to a new folder, all or none; nobody waits for it.

    Its Postgres must run. Raises CannotStartError.
    """
    postgres = stack.postgres
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    for name in DATABASES:
        file = unfinished / f"{name}.dump"
        _run(postgres, "pg_dump", "--format=custom", f"--dbname={name}", f"--file={file}")
    # Last: of what the databases name, nothing is missing but what has gone since.
    if stack.media.is_dir():
        shutil.copytree(stack.media, unfinished / "media", copy_function=_copy_if_there)
    unfinished.rename(folder)


def restore(stack: Stack, folder: Path) -> None:
    """Put a backup in the place of what there is; only Postgres may run, and nobody talk to it.

    Raises CannotStartError, and then nothing has changed.
    """
    postgres = stack.postgres
    for name in DATABASES:
        _run(postgres, "pg_restore", "--list", str(folder / f"{name}.dump"))
    stack.provide_databases()
    try:
        for name in DATABASES:
            _read_in(postgres, f"{name}_restoring", folder / f"{name}.dump", owner=name)
        _take_place(postgres)
        if (folder / "media").is_dir():
            _bring_media_back(stack.media, folder / "media")
    finally:
        for name in DATABASES:
            _drop(postgres, f"{name}_restoring")
    migrate([stack.auth, stack.messaging], home=stack.home)
    stack.messaging.manage("new_epoch").run()


def _read_in(postgres: Postgres, name: str, file: Path, *, owner: str) -> None:
    _drop(postgres, name)
    made, role = sql.Identifier(name), sql.Identifier(owner)
    _execute(postgres, sql.SQL("CREATE DATABASE {} OWNER {}").format(made, role))
    _execute(postgres, sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(made))
    options = ["--exit-on-error", "--no-owner", f"--role={owner}", f"--dbname={name}"]
    _run(postgres, "pg_restore", *options, str(file))


def _take_place(postgres: Postgres) -> None:
    """Rename both or neither."""
    with closing(postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE datname = ANY(%s)", [list(DATABASES)])
        if cursor.rowcount:
            raise CannotStartError(f"Stop both services first: {cursor.rowcount} connections.")
    for name in DATABASES:
        _drop(postgres, f"{name}_before")
    renames = [
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, names))
        for name in DATABASES
        for names in ((name, f"{name}_before"), (f"{name}_restoring", name))
    ]
    _execute(postgres, sql.SQL("; ").join(renames))


def _copy_if_there(source: str, target: str) -> None:
    """Copy a file, unless it went a moment ago."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)


def _bring_media_back(media: Path, kept: Path) -> None:
    before = media.with_name(f"{media.name}_before")
    shutil.rmtree(before, ignore_errors=True)
    if media.exists():
        media.rename(before)
    shutil.copytree(kept, media)


def _run(postgres: Postgres, program: str, *words: str) -> None:
    where = [f"--host={LOOPBACK}", f"--port={postgres.port}", f"--username={SUPERUSER}"]
    done = subprocess.run(
        [str(postgres_program(program, package=postgres_package())), *where, *words],
        env={**os.environ, "PGPASSWORD": postgres.password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotStartError(f"{program} failed:\n{done.stderr.strip()}")


def _drop(postgres: Postgres, name: str) -> None:
    _execute(postgres, sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _execute(postgres: Postgres, statement: sql.Composed) -> None:
    with closing(postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute(statement)
