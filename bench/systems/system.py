"""What every system under test has in common."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, ClassVar

from local.ports import LOOPBACK, free_ports
from local.processes import Process
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import connection

    from bench.engines import Engines

ROOMS = 100
HOT_ROOM = ROOMS + 1


class System:
    """A server process, and a database with the tables `rooms` and `messages`.

    Rooms 1 to 100 are for the many-rooms loads, room 101 for the hot one.
    """

    name: ClassVar[str]
    process: Process
    database: connection

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.port = free_ports(1)[0]
        self.database = engines.provide(self.name)
        self.settings = engines.settings(self.name)

    def path(self, room: int, *, second: bool = False) -> str:  # noqa: ARG002 - all are one person here
        """Return where to open a socket in a room, as its first or second member."""
        return f"/ws/chat/{room}/"

    def wait(self) -> None:
        """Return when the process listens."""
        self.process.wait_until(self._listens)

    def stop(self) -> None:
        self.process.stop()
        self.database.close()

    def python(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Return a Python program of the benchmark's, with `bench` and `service_kit` importable."""
        paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
        return Process(
            name=name,
            command=[sys.executable, *words],
            folder=ROOT,
            log=self.engines.home / "log" / f"{name}.log",
            port=self.port,
            environment={**environment, "PYTHONPATH": paths},
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0
