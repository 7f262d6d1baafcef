"""What it was measured on, and with."""

from __future__ import annotations

import os
import platform
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from bench.systems import SocketIo

if TYPE_CHECKING:
    from bench.engines import Engines

PACKAGES = (
    *("django", "djangorestframework", "channels", "channels-redis", "daphne", "uvicorn"),
    *("uvloop", "gunicorn", "psycopg2-binary", "redis", "orjson", "PyJWT"),
)


def machine() -> dict[str, str]:
    """Name the processor, cores, memory and kernel."""
    cpu, memory = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    return {
        "cpu": _field(cpu, "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_field(memory, 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(running: Engines) -> dict[str, str]:
    """Name what took part, the engines as they call themselves."""
    with closing(running.postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
    with closing(redis.Redis.from_url(running.redis.url)) as client:
        server = client.info("server")
    name = "valkey_version" if "valkey_version" in server else "redis_version"
    return {
        "python": platform.python_version(),
        "postgres": str(row[0]) if row else "",
        name.partition("_")[0]: str(server[name]),
        **{package: version(package) for package in PACKAGES},
        **(SocketIo.versions() if SocketIo.can_run() else {}),
    }


def _field(file: Path, name: str) -> str:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
