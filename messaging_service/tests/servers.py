"""Real processes of this service and of auth_service, started as `make run` starts them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from local.ports import LOOPBACK, free_ports
from local.processes import Process
from local.services import Service, ready
from service_kit.testing import public_key_pem


@dataclass(frozen=True)
class Server:
    """A process of the service that is ready."""

    process: Process

    @property
    def port(self) -> int:
        assert self.process.port is not None
        return self.process.port

    @property
    def address(self) -> str:
        """Where its sockets are, without a slash at the end."""
        return f"ws://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        return self.process.log.read_text()


@contextmanager
def start_servers(
    folder: Path, *, sockets: int = 0, http: int = 0, **environment: str
) -> Iterator[list[Server]]:
    """Run processes of messaging_service on the test database, its socket processes first.

    `environment` wins over the settings of this process.
    """
    service = messaging_service(folder, **environment)
    ports = free_ports(sockets + http)
    processes = [service.sockets(number=n, port=port) for n, port in enumerate(ports[:sockets])]
    processes += [service.http(port=port) for port in ports[sockets:]]
    with run(*processes):
        yield [Server(process) for process in processes]


def messaging_service(folder: Path, **environment: str) -> Service:
    """This service, trusting the test key."""
    own = {
        "DB_NAME": str(settings.DATABASES["default"]["NAME"]),
        "JWT_PUBLIC_KEY": public_key_pem(),
    }
    return Service(
        name="messaging_service",
        logs=folder / "log",
        scratch=folder,
        environment=own | environment,
    )


@contextmanager
def run(*processes: Process) -> Iterator[None]:
    """Start processes, and stop them in the end; yields when all are ready."""
    with ExitStack() as running:
        for process in processes:
            running.callback(process.stop)
            process.start()
        for process in processes:
            process.wait_until(lambda process=process: ready(process))  # type: ignore[misc]
        yield
        for process in processes:
            process.ask_to_stop()
