"""Migrating both databases, at once, and not again what nothing has changed for."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from local.processes import Process
    from local.services import Service


def migrate(services: Sequence[Service], *, home: Path) -> None:
    """Bring each database to what the code wants. Raises ProcessDiedError if that fails."""
    begun: list[tuple[Service, Process]] = []
    for service in services:
        if _note(service, home).read_text() != _state(service):
            process = service.manage("migrate", "--no-input")
            process.start()
            begun.append((service, process))
    for service, process in begun:
        process.finish()
        _note(service, home).write_text(_state(service))


def _state(service: Service) -> str:
    """Digest all that `migrate` depends on: code, libraries, and what the database has had.

    The database itself is asked: one that was restored, emptied or migrated by hand differs.
    """
    digest = hashlib.sha256()
    for part in (*_code(service), *_applied(service)):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _code(service: Service) -> Iterator[bytes]:
    files = {*service.folder.rglob("migrations/*.py"), *service.folder.glob("config/*.py")}
    for file in sorted(files):
        yield str(file.relative_to(service.folder)).encode()
        yield file.read_bytes()
    yield (ROOT / "local" / "requirements.txt").read_bytes()


def _applied(service: Service) -> Iterator[bytes]:
    settings = service.environment
    with (
        closing(
            psycopg2.connect(
                host=settings["DB_HOST"],
                port=settings["DB_PORT"],
                dbname=settings["DB_NAME"],
                user=settings["DB_USER"],
                password=settings["DB_PASSWORD"],
            )
        ) as link,
        link.cursor() as cursor,
    ):
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT app, name, applied FROM django_migrations ORDER BY id")
            yield repr(cursor.fetchall()).encode()


def _note(service: Service, home: Path) -> Path:
    """Return the file that keeps the state the last successful `migrate` left."""
    file = home / f"{service.name}-migrated"
    file.touch()
    return file
