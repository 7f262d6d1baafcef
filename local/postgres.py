"""A Postgres cluster in a folder: made once, run, given a role and a database per service."""

from __future__ import annotations

import shutil
import signal
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from local.account import Account, account_for
from local.ports import LOOPBACK
from local.processes import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from psycopg2.extensions import connection

SUPERUSER = "postgres"

# Whoever throws the data away afterwards need not wait for the disk.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # A socket's path is limited to 107 bytes, a checkout's is not.
    "unix_socket_directories": "",
    "max_connections": "200",
    # Statements and the values of failed ones are what people wrote to each other.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_INITDB = (
    "--auth=scram-sha-256",
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


@dataclass(kw_only=True)
class Postgres:
    """A cluster in `home` on a loopback port, with its durable defaults unless told otherwise."""

    home: Path
    logs: Path
    port: int
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    account: Account = field(init=False)
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.account = account_for(self.home)
        self.process = self._process("postgres", self._command())
        # Its own children end with it, and the next start needs no recovery.
        self.process.farewell = self.process.stop_signal = signal.SIGINT

    def start(self) -> None:
        """Make the cluster if there is none, start it, and return when it answers."""
        if not (self.home / "data").exists():
            self._make()
        self.account.own_files()
        self.process.start()
        self.process.wait_until(self.answers)

    def stop(self) -> None:
        self.process.stop()
        self.account.close()

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def is_found_at(self, file: Path) -> bool:
        """Take the port of the server that wrote this `postmaster.pid`, if it answers there."""
        self.port = int(file.read_text().splitlines()[3])
        return self.answers()

    def connect(self, database: str = "postgres") -> connection:
        """Connect as the superuser, in autocommit."""
        made = psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            dbname=database,
            user=SUPERUSER,
            password=self.password,
            connect_timeout=3,
        )
        made.autocommit = True
        return made

    def provide(self, name: str, *, password: str, may_create: bool = False) -> None:
        """Make sure of a database and a role of this name, which owns it and is no superuser."""
        role, rights = sql.Identifier(name), sql.SQL("CREATEDB" if may_create else "NOCREATEDB")
        login = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER {} PASSWORD {}")
        with closing(self.connect()) as link, link.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
            verb = sql.SQL("ALTER" if cursor.rowcount else "CREATE")
            cursor.execute(login.format(verb, role, rights, sql.Literal(password)))
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if not cursor.rowcount:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
                # One service has no business in the other's database.
                cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))

    def _make(self) -> None:
        """Make it under another name: what an interrupted first start left is not taken for one."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self.home / "password"
        password.write_text(self.password)
        password.chmod(0o600)
        self.account.own_files()
        self._initdb(password.name, unfinished.name).run()
        password.unlink()
        unfinished.rename(self.home / "data")

    def _initdb(self, password: str, data: str) -> Process:
        files = [f"--pwfile={self.account.path(password)}", f"--pgdata={self.account.path(data)}"]
        hurry = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        return self._process("initdb", [*self.account.program("initdb"), *_INITDB, *files, *hurry])

    def _command(self) -> list[str]:
        settings = {**_SETTINGS, "port": str(self.port), **self.settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*self.account.program("postgres"), "-D", self.account.path("data"), *options]

    def _process(self, name: str, command: list[str]) -> Process:
        return Process(
            name=name,
            command=command,
            folder=self.home,
            log=self.logs / f"{name}.log",
            port=self.port if name == "postgres" else None,
            account=self.account.identity,
            keeps=self.account.keeps,
        )
