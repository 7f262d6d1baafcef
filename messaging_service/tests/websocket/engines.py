"""A Redis of a test's own, which it may freeze, kill and start again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.ports import free_ports
from local.redis import Redis


@contextmanager
def own_redis(folder: Path) -> Iterator[Redis]:
    """Run it on a free port, in this folder."""
    made = Redis(
        home=folder / "redis", logs=folder / "log", port=free_ports(1)[0], password="throwaway"
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def frozen(redis: Redis) -> Iterator[None]:
    os.kill(redis.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)
