"""A durable Postgres and a Redis of the benchmark's own, thrown away afterwards."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.ports import LOOPBACK, free_ports
from local.postgres import Postgres
from local.redis import Redis
from local.secrets import Secrets
from local.testing import own_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg2.extensions import connection

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


class NotDurableError(Exception):
    """This Postgres would be fast at the price of what it acknowledged."""


@dataclass(frozen=True, kw_only=True)
class Engines:
    """What all systems share; each has a database of its own."""

    home: Path
    postgres: Postgres
    redis: Redis
    secrets: Secrets

    def provide(self, name: str) -> connection:
        """Make a database with its role, and return a superuser's connection to it."""
        self.postgres.provide(name, password=self.secrets.messaging_database)
        return self.postgres.connect(name)

    def settings(self, name: str) -> dict[str, str]:
        """Return the settings that lead a system to its database and to Redis."""
        return {
            "DB_HOST": LOOPBACK,
            "DB_PORT": str(self.postgres.port),
            "DB_NAME": name,
            "DB_USER": name,
            "DB_PASSWORD": self.secrets.messaging_database,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": self.secrets.messaging_django,
        }


@contextmanager
def engines() -> Iterator[Engines]:
    """Run both in a folder in the checkout, on its disk, and yield them when they answer."""
    with ExitStack() as running:
        home = running.enter_context(own_home())
        secrets, ports = Secrets(), free_ports(2)
        postgres = Postgres(
            home=home / "postgres", logs=home / "log", port=ports[0], password=secrets.postgres
        )
        redis = Redis(home=home / "redis", logs=home / "log", port=ports[1], password=secrets.redis)
        for engine in (postgres, redis):
            running.callback(engine.stop)
            engine.start()
        _require_durable(postgres)
        yield Engines(home=home, postgres=postgres, redis=redis, secrets=secrets)


def _require_durable(postgres: Postgres) -> None:
    with closing(postgres.connect()) as link, link.cursor() as cursor:
        for name, wanted in DURABLE.items():
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone() != (wanted,):
                raise NotDurableError(name)
