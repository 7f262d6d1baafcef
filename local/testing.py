"""Throw-away engines and whole systems, for the tests and benchmarks of every part."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

from local.ports import LOOPBACK, free_ports
from local.postgres import THROW_AWAY, Postgres
from local.redis import Redis
from local.services import ROOT
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Nothing to protect: the data is gone with the tests, and the ports are loopback.
_ROLE = "throwaway"
MEMORY = Path("/dev/shm")  # noqa: S108 - each has a folder of its own in it, closed to others
ENOUGH_BYTES = 4 << 30


@contextmanager
def engines() -> Iterator[dict[str, str]]:
    """Run a real Postgres and a real Redis, and yield the settings that lead to them.

    Yields DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD REDIS_HOST REDIS_PORT REDIS_URL; the role may
    create databases and is no superuser. Free ports, a temporary folder, no fsync; about a second.
    Everything is gone afterwards, and also if the test process is killed.
    """
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="parley-test-")))
        ports = free_ports(2)
        postgres = Postgres(
            home=folder / "postgres",
            logs=folder / "log",
            port=ports[0],
            password=_ROLE,
            settings=THROW_AWAY,
        )
        redis = Redis(home=folder / "redis", logs=folder / "log", port=ports[1], password=_ROLE)
        for engine in (postgres, redis):
            running.callback(engine.stop)
            engine.start()
        postgres.provide(_ROLE, password=_ROLE, may_create=True)
        yield {
            "DB_HOST": LOOPBACK,
            "DB_PORT": str(postgres.port),
            "DB_NAME": _ROLE,
            "DB_USER": _ROLE,
            "DB_PASSWORD": _ROLE,
            "REDIS_HOST": LOOPBACK,
            "REDIS_PORT": str(redis.port),
            "REDIS_URL": redis.url,
        }


def provide_engines() -> dict[str, str]:
    """Start `engines()` for the rest of this process and put their settings into its environment.

    For the first lines of a service's conftest.py, before Django reads its settings:

        from local.testing import provide_engines

        provide_engines()
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

    (pytest-django reads settings before any conftest.py if their name stands in pyproject.toml, in
    the environment or on the command line; so it must stand in none of them.)
    """
    running = ExitStack()
    atexit.register(running.close)
    settings = running.enter_context(engines())
    os.environ.update(settings)
    return settings


@contextmanager
def own_home(*, in_memory: bool = False) -> Iterator[Path]:
    """Make a folder in the checkout, on the disk `make run` uses, and remove it at the end.

    In memory, where there is enough, for what must not wait for a disk that stands still.
    """
    base = ROOT / ".data"
    base.mkdir(exist_ok=True, mode=0o700)
    if in_memory and MEMORY.is_dir() and disk_usage(MEMORY).free > ENOUGH_BYTES:
        base = MEMORY
    with tempfile.TemporaryDirectory(prefix="stack-", dir=base) as folder:
        yield Path(folder)


@contextmanager
def isolated_stack(
    *,
    sockets: int = 2,
    spare_sockets: int = 0,
    http_each: int = 1,
    durable: bool = True,
    in_memory: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Run the whole system beside any other, on free ports, and yield it when it is ready.

    `stack.address` is the gateway, `stack.process("redis")` a process (`.pid`, `.port`, `.kill()`),
    `stack.restart("redis")` brings one back, `stack.logs` holds what they wrote, and
    `stack.postgres.connect("messaging")` is a superuser's connection. `settings` go to
    both services.
    Names: postgres redis mailbox auth_service messaging_service messaging_sockets-1 (…) traefik;
    with `http_each=2` also auth_service-2 and messaging_service-2.

    Like every start of processes this belongs into the main thread.
    """
    port, operators_port = free_ports(2)
    with own_home(in_memory=in_memory) as home:
        stack = Stack(
            home=home,
            port=port,
            operators_port=operators_port,
            sockets=sockets,
            spare_sockets=spare_sockets,
            http_each=http_each,
            durable=durable,
            settings=settings or {},
        )
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()
