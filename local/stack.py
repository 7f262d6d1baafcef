"""The whole system, started in order in a folder on given ports, and stopped in reverse."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import ProcessDiedError
from local.mailbox import Mailbox
from local.migrations import migrate
from local.ports import LOOPBACK, free_ports
from local.postgres import THROW_AWAY, Postgres
from local.redis import Redis
from local.secrets import Secrets, ensure_private_key, load_secrets
from local.services import Service, ready
from local.settings import auth_settings, messaging_settings
from local.traefik import Traefik

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.processes import Process


@dataclass(kw_only=True)
class Stack:
    """Postgres, Redis, a mailbox, both services and Traefik.

    `home` holds data, secrets and logs. `settings` go to both services and win over our own;
    `replaced` then names those of ours they stand for. The gateway looks for `spare_sockets` more
    socket processes than there are: successors come up there (rolling.py).
    `durable=False` is for tests alone: Postgres then does not wait for the disk.
    """

    home: Path
    port: int
    operators_port: int
    sockets: int = 2
    spare_sockets: int = 0
    http_each: int = 1
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list, init=False)
    replaced: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._scratch.mkdir(exist_ok=True)
        self.secrets: Secrets = load_secrets(self.home / "secrets.json")
        algorithm = self.settings.get("JWT_ALGORITHM", "")
        ensure_private_key(self.home / "jwt-private-key.pem", algorithm=algorithm)
        numbers = 4 + 2 * self.http_each + self.sockets + self.spare_sockets
        ports = iter(free_ports(numbers))
        self.postgres, self.redis = self._postgres(next(ports)), self._redis(next(ports))
        self.mailbox = Mailbox(logs=self.logs, smtp_port=next(ports), port=next(ports))
        auth_ports = list(islice(ports, self.http_each))
        messaging_ports = list(islice(ports, self.http_each))
        self.auth = self._auth_service(messaging_port=messaging_ports[0])
        self.messaging = self._messaging_service(auth_port=auth_ports[0])
        self.auth_processes = _http_processes(self.auth, auth_ports)
        self.messaging_processes = _http_processes(self.messaging, messaging_ports)
        self.socket_processes = [
            self.messaging.sockets(number=number, port=port)
            for number, port in enumerate(islice(ports, self.sockets), start=1)
        ]
        self.spare_ports = list(ports)
        self.traefik = self._traefik()

    @property
    def address(self) -> str:
        """Where the public finds it, without a slash at the end."""
        return self.traefik.address

    @property
    def media(self) -> Path:
        """Where auth_service keeps pictures."""
        return Path(self.auth.environment["MEDIA_ROOT"])

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def servers(self) -> list[Process]:
        """The processes of our own two services."""
        return [*self.auth_processes, *self.messaging_processes, *self.socket_processes]

    def process(self, name: str) -> Process:
        """Return the running process of this name: the name of its log."""
        return next(process for process in self.processes if process.name == name)

    def start(self) -> None:
        """Return when everything is ready through the gateway.

        Raises ProcessDiedError or CannotStartError; `stop` is then still the caller's to call.
        """
        self._start_engines()
        migrate([self.auth, self.messaging], home=self.home)
        self._start_services()
        self.processes.append(self.traefik.process)
        self.traefik.start()

    def stop(self) -> None:
        """Stop what was started, clients first: the gateway, the services, the engines."""
        self.traefik.stop()
        for process in self.servers:
            process.ask_to_stop()
        for process in self.servers:
            process.stop()
        self.mailbox.stop()
        self.redis.stop()
        self.postgres.stop()

    def require_alive(self) -> None:
        """Raise ProcessDiedError naming the first process that has ended."""
        for process in self.processes:
            if not process.alive():
                raise ProcessDiedError(process)

    def restart(self, name: str) -> None:
        """Kill a process if it still runs, start it again on the same port, wait until ready."""
        process = self.process(name)
        process.kill()
        process.start()
        process.wait_until(lambda: self._is_ready(process))

    def provide_databases(self) -> None:
        """Make sure of a role and a database for each service."""
        self.postgres.provide("auth", password=self.secrets.auth_database)
        self.postgres.provide("messaging", password=self.secrets.messaging_database)

    def _start_engines(self) -> None:
        self.processes += [self.postgres.process, self.redis.process, self.mailbox.process]
        self.mailbox.start()
        self.redis.start()
        self.postgres.start()
        self.provide_databases()

    def _start_services(self) -> None:
        """Start all at once, but the first time auth alone: messaging then has no keys on disk."""
        keys = self.home / "messaging-jwks.json"
        first = self.auth_processes if not keys.exists() else []
        others = [process for process in self.servers if process not in first]
        for group in (first, others):
            self.processes += group
            for process in group:
                process.start()
            for process in group:
                process.wait_until(lambda process=process: self._is_ready(process))  # type: ignore[misc]

    def _is_ready(self, process: Process) -> bool:
        for engine in (self.postgres, self.redis, self.mailbox, self.traefik):
            if engine.process is process:
                return engine.answers()
        return ready(process)

    def _postgres(self, port: int) -> Postgres:
        return Postgres(
            home=self.home / "postgres",
            logs=self.logs,
            port=port,
            password=self.secrets.postgres,
            settings={} if self.durable else THROW_AWAY,
        )

    def _redis(self, port: int) -> Redis:
        home = self.home / "redis"
        return Redis(home=home, logs=self.logs, port=port, password=self.secrets.redis)

    def _auth_service(self, *, messaging_port: int) -> Service:
        ours = auth_settings(
            secrets=self.secrets,
            postgres=self.postgres,
            redis=self.redis,
            mailbox=self.mailbox,
            home=self.home,
            messaging_port=messaging_port,
            port=self.port,
        )
        return self._service("auth_service", ours)

    def _messaging_service(self, *, auth_port: int) -> Service:
        ours = messaging_settings(
            secrets=self.secrets,
            postgres=self.postgres,
            redis=self.redis,
            home=self.home,
            auth_port=auth_port,
            port=self.port,
        )
        return self._service("messaging_service", ours)

    def _service(self, name: str, ours: Mapping[str, str]) -> Service:
        self.replaced |= ours.keys() & self.settings.keys()
        environment = {**ours, **self.settings}
        return Service(name=name, logs=self.logs, scratch=self._scratch, environment=environment)

    def _traefik(self) -> Traefik:
        return Traefik(
            home=self.home / "traefik",
            logs=self.logs,
            port=self.port,
            operators_port=self.operators_port,
            auth_urls=list(map(process_url, self.auth_processes)),
            chat_urls=list(map(process_url, self.messaging_processes)),
            mailbox_url=self.mailbox.url,
            sockets_urls=[
                *map(process_url, self.socket_processes),
                *map(port_url, self.spare_ports),
            ],
        )

    @property
    def _scratch(self) -> Path:
        return self.home / "scratch"


def _http_processes(service: Service, ports: Iterable[int]) -> list[Process]:
    return [service.http(number=number, port=port) for number, port in enumerate(ports, start=1)]


def process_url(process: Process) -> str:
    assert process.port is not None
    return port_url(process.port)


def port_url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
