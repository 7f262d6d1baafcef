"""The tutorial's chat under Daphne."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.systems.system import HOT_ROOM, System
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from bench.engines import Engines


class Tutorial(System):
    name = "tutorial"

    def __init__(self, engines: Engines) -> None:
        super().__init__(engines)
        environment = {**self.settings, "DJANGO_SETTINGS_MODULE": "bench.tutorial.settings"}
        migrate = ["-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        self.python("tutorial-migrate", migrate, environment).run()
        with self.database.cursor() as cursor:
            cursor.execute(
                "INSERT INTO rooms (id, seq) SELECT n, 0 FROM generate_series(1, %s) AS n",
                [HOT_ROOM],
            )
        where = ("--bind", LOOPBACK, "--port", str(self.port), "--verbosity", "0")
        self.process = self.python(
            "tutorial", ["-m", "daphne", *where, "bench.tutorial.asgi:application"], environment
        )
        self.process.start()
        self.wait()
