"""The processes of our own two services: their commands, settings and readiness."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.health import answers
from local.ports import LOOPBACK
from local.processes import Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parent.parent

_GUNICORN = (
    *("-m", "gunicorn", "config.wsgi", "--config", str(ROOT / "local" / "gunicorn.py")),
    *("--worker-class", "gthread"),
    *("--workers", "1", "--threads", "8"),
    # Longer than the 90 s for which the gateway keeps an idle connection: it must never send a
    # request over one that is just being closed.
    *("--keep-alive", "100"),
    # It would lie under the home directory, at one path for every service.
    "--no-control-socket",
)
_UVICORN = (
    *("-m", "uvicorn", "config.asgi:application", "--host", LOOPBACK),
    # uvicorn's websockets-sansio, with a limit to what it answers itself.
    *("--ws", "messaging.websocket.protocol:LimitedProtocol"),
    *("--loop", "uvloop", "--http", "httptools"),
    *("--ws-per-message-deflate", "false", "--ws-max-size", "65536"),
    # A client that vanished without a word is gone after 30 s, and shown so within 45 s.
    *("--ws-ping-interval", "15", "--ws-ping-timeout", "15"),
    # At a lower level it writes down the address of every socket, the token in it included.
    *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "5"),
)
# What else can serve the same sockets: for tests, and for whoever has to.
_DAPHNE = (
    *("-m", "daphne", "--bind", LOOPBACK, "--websocket-max-message-size", "65536"),
    # Its log of requests would hold the address of every socket, the token in it included.
    *("--verbosity", "0", "config.asgi:application"),
)


@dataclass(kw_only=True)
class Service:
    """One of the two services, in `code`/`name`, with its settings in `environment`."""

    name: str
    logs: Path
    scratch: Path
    code: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.code / self.name

    def http(self, *, port: int, number: int = 1) -> Process:
        """Return its HTTP process, or another one."""
        files = ("--worker-tmp-dir", str(self.scratch), "--bind", f"{LOOPBACK}:{port}")
        name = self.name if number == 1 else f"{self.name}-{number}"
        return self._process(name, [*_GUNICORN, *files], port=port)

    def sockets(self, *, number: int, port: int, server: str = "uvicorn") -> Process:
        """Return one of its socket processes, under uvicorn or daphne."""
        command = [*{"uvicorn": _UVICORN, "daphne": _DAPHNE}[server], "--port", str(port)]
        return self._process(f"messaging_sockets-{number}", command, port=port)

    def manage(self, *words: str) -> Process:
        """Return a command of its manage.py."""
        return self._process(f"{self.name}-{words[0]}", ["manage.py", *words])

    def _process(self, name: str, words: Sequence[str], *, port: int | None = None) -> Process:
        return Process(
            name=name,
            command=[sys.executable, *words],
            folder=self.folder,
            log=self.logs / f"{name}.log",
            port=port,
            environment={**self.environment, **self._python()},
        )

    def _python(self) -> Mapping[str, str]:
        """Return what makes its modules importable, whatever the caller's shell is set up for."""
        path = [str(self.code / "shared"), os.environ.get("PYTHONPATH", "")]
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.scratch),
        }


def ready(process: Process) -> bool:
    """Say whether a started process of ours has all it needs."""
    return process.port is not None and answers(process.port, "/health/ready")
