"""A Redis (Valkey) on a loopback port that keeps nothing: what must last is in Postgres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis import Redis as Client
from redis.exceptions import RedisError

from local.binaries import redis_program
from local.ports import LOOPBACK
from local.processes import Process

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = """\
bind {host}
port {port}
requirepass {password}
dir "{home}"
save ""
appendonly no
"""


@dataclass(kw_only=True)
class Redis:
    """Its password stands in a file of its own: a command line is read by everyone."""

    home: Path
    logs: Path
    port: int
    password: str
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(
            name="redis",
            command=[str(redis_program()), str(self._config)],
            folder=self.home.parent,
            log=self.logs / "redis.log",
            port=self.port,
        )

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start it and return when it answers."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._config.touch(mode=0o600)
        self._config.write_text(
            _CONFIG.format(host=LOOPBACK, port=self.port, password=self.password, home=self.home)
        )
        self.process.start()
        self.process.wait_until(self.answers)

    def stop(self) -> None:
        self.process.stop()

    def answers(self) -> bool:
        try:
            with Client.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False

    @property
    def _config(self) -> Path:
        return self.home / "redis.conf"
