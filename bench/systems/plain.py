"""The plain application under uvicorn, with the options Parley is run with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bench.systems.prototype import uvicorn
from local.health import answers
from local.ports import free_ports
from local.processes import Process
from local.services import ROOT

if TYPE_CHECKING:
    from bench.engines import Engines


class Plain:
    """It has no rooms: every path is alike."""

    name = "plain ASGI"

    def __init__(self, engines: Engines) -> None:
        self._log = engines.home / "log" / "plain.log"
        self.process = self.another()
        assert self.process.port is not None
        self.port = self.process.port

    def another(self) -> Process:
        """Start another process, which is then the caller's."""
        port = free_ports(1)[0]
        process = Process(
            name="plain",
            command=[sys.executable, *uvicorn("bench.plain.asgi:application", port=port)],
            folder=ROOT,
            log=self._log,
            port=port,
            environment={"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")])},
        )
        process.start()
        process.wait_until(lambda: answers(port, "/"))
        return process

    def path(self, room: int, *, second: bool = False) -> str:  # noqa: ARG002 - all are alike
        return f"/ws/chat/{room}/"

    def stop(self) -> None:
        self.process.stop()
