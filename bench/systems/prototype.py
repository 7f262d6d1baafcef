"""The bare prototype under uvicorn, with the options Parley is run with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.prototype.writer import SCHEMA
from bench.systems.system import HOT_ROOM, System
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from bench.engines import Engines

_UVICORN = (
    *("--ws", "websockets-sansio", "--loop", "uvloop", "--http", "httptools"),
    *("--ws-per-message-deflate", "false", "--ws-max-size", "65536"),
    *("--no-access-log", "--log-level", "warning", "--host", LOOPBACK),
)


def uvicorn(application: str, *, port: int) -> list[str]:
    """Return the command that serves an application as Parley is served."""
    return ["-m", "uvicorn", application, *_UVICORN, "--port", str(port)]


class Prototype(System):
    name = "prototype"

    def __init__(self, engines: Engines) -> None:
        super().__init__(engines)
        with self.database.cursor() as cursor:
            cursor.execute(f"SET ROLE {self.name}; {SCHEMA}; RESET ROLE")
            cursor.execute("INSERT INTO rooms SELECT generate_series(1, %s)", [HOT_ROOM])
        words = " ".join(
            f"{key}={self.settings[name]}"
            for key, name in [
                ("host", "DB_HOST"),
                ("port", "DB_PORT"),
                ("dbname", "DB_NAME"),
                ("user", "DB_USER"),
                ("password", "DB_PASSWORD"),
            ]
        )
        environment = {"PROTOTYPE_DSN": words, "REDIS_URL": self.settings["REDIS_URL"]}
        command = uvicorn("bench.prototype.asgi:application", port=self.port)
        self.process = self.python("prototype", command, environment)
        self.process.start()
        self.wait()
