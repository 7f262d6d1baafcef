"""messaging_service: one socket process as `make run` starts it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench import rooms
from bench.systems.system import System
from bench.tokens import public_key_pem, token_of
from local.ports import free_ports
from local.services import ROOT, Service, ready

if TYPE_CHECKING:
    from bench.engines import Engines
    from local.processes import Process

# A load is far above what one person may do.
NO_LIMITS = {
    "LIMIT_MESSAGES_PER_SECOND": "1000000",
    "LIMIT_MESSAGE_BURST": "1000000",
    "LIMIT_COMMANDS_PER_SECOND": "1000000",
    "LIMIT_COMMAND_BURST": "1000000",
    "LIMIT_SOCKETS_PER_USER": "1000",
}


class Parley(System):
    """The members of room n are the users `first-n` and `second-n`; of others see bench.rooms."""

    name = "parley"

    def __init__(self, engines: Engines) -> None:
        super().__init__(engines)
        scratch = engines.home / "scratch"
        scratch.mkdir(exist_ok=True)
        self.service = Service(
            name="messaging_service",
            logs=engines.home / "log",
            scratch=scratch,
            environment=self._environment(),
        )
        self._seeded: set[str] = set()
        self._started = 0
        self.service.manage("migrate", "--no-input", "--verbosity", "0").run()
        self.seed("pairs")
        self.process = self.another()

    def seed(self, *names: str) -> None:
        """Make these sets of rooms, unless they are there."""
        if missing := [name for name in names if name not in self._seeded]:
            environment = self.service.environment
            seed = self.python("seed", ["-m", "bench.seed", *missing], environment)
            seed.folder = self.service.folder
            seed.run()
            self._seeded.update(missing)
            if missing != ["pairs"]:
                self._analyze()

    def _analyze(self) -> None:
        """Let Postgres know what came; of messages there may be none, and it would plan so."""
        with self.database.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE rooms, members, profiles")

    def another(self) -> Process:
        """Start another socket process over the same database, which is then the caller's."""
        self._started += 1
        port = free_ports(1)[0] if self._started > 1 else self.port
        process = self.service.sockets(number=self._started, port=port)
        process.start()
        process.wait_until(lambda: ready(process))
        return process

    @property
    def code_environment(self) -> dict[str, str]:
        """Return what a program needs that uses messaging_service's own code."""
        paths = (ROOT, ROOT / "shared", self.service.folder)
        return {**self.service.environment, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def _environment(self) -> dict[str, str]:
        return {
            **self.settings,
            **NO_LIMITS,
            # The last two are how the gateway calls it.
            "ALLOWED_HOSTS": "localhost,authservice,messaging-service",
            "ALLOWED_ORIGINS": "http://localhost",
            "INTERNAL_SECRET": self.engines.secrets.between_services,
            "JWT_PUBLIC_KEY": public_key_pem(),
            "JWKS_CACHE_FILE": "",
            "LEAVING_SECONDS": "0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def path(self, room: int, *, second: bool = False) -> str:
        return self.path_of(f"second-{room}" if second else f"first-{room}", room)

    def path_of(self, user: str, room: int | None = None) -> str:
        """Return where somebody opens a socket in a room, or in all of his."""
        where = f"/ws/chat/{room}/" if room else "/ws/chat/"
        return f"{where}?token={token_of(user)}"

    def crowd(self, size: int) -> list[str]:
        """Return a socket for each of so many members of one room with a thousand."""
        self.seed("crowd")
        return [self.path_of(rooms.in_crowd(n), rooms.CROWD) for n in range(size)]
