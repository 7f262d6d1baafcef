"""messaging_service: one socket process as `make run` starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.systems.system import HOT_ROOM, System
from bench.tokens import public_key_pem, token_of
from local.services import Service, ready

if TYPE_CHECKING:
    from bench.engines import Engines


class Parley(System):
    """The members of room n are the users `first-n` and `second-n`."""

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
        self.service.manage("migrate", "--no-input", "--verbosity", "0").run()
        seed = self.python("seed", ["-m", "bench.seed", str(HOT_ROOM)], self.service.environment)
        seed.folder = self.service.folder
        seed.run()
        self.process = self.service.sockets(number=1, port=self.port)
        self.process.start()
        self.process.wait_until(lambda: ready(self.process))

    def _environment(self) -> dict[str, str]:
        return {
            **self.settings,
            "ALLOWED_HOSTS": "localhost",
            "ALLOWED_ORIGINS": "http://localhost",
            "INTERNAL_SECRET": self.engines.secrets.between_services,
            "JWT_PUBLIC_KEY": public_key_pem(),
            "JWKS_CACHE_FILE": "",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def path(self, room: int, *, second: bool = False) -> str:
        user = f"second-{room}" if second else f"first-{room}"
        return f"{super().path(room)}?token={token_of(user)}"
