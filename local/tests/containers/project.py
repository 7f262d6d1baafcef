"""`docker compose up` of a compose file: containers in the order and with the rights it states."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from local.services import ROOT
from local.tests.containers.container import Container, Mount
from local.tests.containers.image import build, make_venv
from local.tests.containers.network import GATEWAY, Network, inside
from local.tests.containers.stand_ins import stand_ins
from local.tests.images import HTTP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.tests.containers.image import Image

OURS = "parley/"
T = TypeVar("T")


@dataclass(kw_only=True)
class Project:
    """All containers of `described`, by the name of their service, as many as `scale` says."""

    described: Mapping[str, Any]
    folder: Path
    scale: Mapping[str, int] = field(default_factory=dict)
    containers: dict[str, list[Container]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for name in ("images", "volumes", "logs", "files"):
            (self.folder / name).mkdir()
        # Users of containers pass through it; what it holds is closed to them by itself.
        for each in (self.folder, self.folder / "volumes", self.folder / "images"):
            each.chmod(0o711)
        self.network = Network()
        self._images = dict(stand_ins(self.folder / "images"))
        for service in HTTP.values():
            root = self.folder / "images" / service
            self._images[OURS + service] = build(service, root, venv=make_venv(service))
        self._resolver = self.folder / "files" / "resolv.conf"
        self._resolver.write_text(f"nameserver {GATEWAY}\n")

    def up(self) -> None:
        """Return when every service has what others wait for."""
        for name in self._services:
            self.containers[name] = [self._make(name, number) for number in self._numbers(name)]
        self.start(*self._in_order())

    def start(self, *names: str) -> None:
        """Start what does not run of these services, one after the other, and await it."""
        for name in names:
            stopped = [each for each in self.containers[name] if not each.alive()]
            for container in stopped:
                container.start()
            for container in stopped:
                self._await(name, container)

    def start_as(self, described: Mapping[str, Any], *names: str) -> dict[str, Container]:
        """Start one more container of each, as it is in another description, and await it."""
        before, self.described = self.described, described
        try:
            made = {name: self._make(name, self._next(name)) for name in names}
            for name, container in made.items():
                self.containers[name].append(container)
                container.start()
                self._await(name, container)
        finally:
            self.described = before
        return made

    def down(self) -> None:
        for containers in reversed(self.containers.values()):
            for container in containers:
                container.kill()
        self.network.close()

    def image(self, name: str) -> Image:
        """Return the image of a service."""
        wanted: str = self._services[name]["image"]
        return self._images[wanted if wanted.startswith(OURS) else wanted.partition(":")[0]]

    @property
    def _services(self) -> Mapping[str, Any]:
        services = self.described["services"]
        return {name: each for name, each in services.items() if "profiles" not in each}

    def _numbers(self, name: str) -> range:
        return range(1, self.scale.get(name, self._services[name].get("scale", 1)) + 1)

    def _next(self, name: str) -> int:
        return 1 + max(int(each.name.rpartition("-")[2]) for each in self.containers[name])

    def _in_order(self) -> Iterator[str]:
        """Yield each service after all it depends on."""
        done: set[str] = set()
        while left := [name for name in self._services if name not in done]:
            name = next(each for each in left if self._needs(each) <= done)
            done.add(name)
            yield name

    def _needs(self, name: str) -> set[str]:
        return set(self._services[name].get("depends_on", {}))

    def _await(self, name: str, container: Container) -> None:
        conditions = {
            each["depends_on"][name]["condition"]
            for each in self._services.values()
            if name in each.get("depends_on", {})
        }
        if "service_completed_successfully" in conditions:
            assert container.wait() == 0, container.log.read_text()
        elif check := self._services[name].get("healthcheck"):
            assert check["test"][0] == "CMD"
            container.wait_until_healthy(check["test"][1:])

    def _make(self, name: str, number: int) -> Container:
        service, image = self._services[name], self.image(name)
        host = f"{name}-{number}"
        networks = {} if service.get("network_mode") == "none" else service["networks"]
        aliases = [each for network in _aliases(networks) for each in network]
        return Container(
            name=host,
            image=image,
            words=_words(service, image),
            namespace=self.network.join(
                host, names=[name, f"parley-{host}", *aliases], networks=list(networks)
            ),
            log=self.folder / "logs" / f"{host}.log",
            user=_user(service.get("user", image.user)),
            folder=service.get("working_dir", image.folder),
            environment={**image.environment, **service.get("environment", {})},
            mounts=list(self._mounts(name, service)),
            rights=service.get("cap_add", ()),
            read_only=service.get("read_only", False),
        )

    def _mounts(self, name: str, service: Mapping[str, Any]) -> Iterator[Mount]:
        yield Mount(target="/etc/resolv.conf", source=self._resolver, read_only=True)
        for target in service.get("tmpfs", ()):
            yield Mount(target=target)
        for mount in service.get("volumes", ()):
            source, target, *options = mount.split(":")
            yield Mount(
                target=target,
                source=self._source(name, source, target),
                read_only=options == ["ro"],
            )
        for each in service.get("secrets", ()):
            file = Path(self.described["secrets"][each]["file"])
            yield Mount(target=f"/run/secrets/{each}", source=file, read_only=True)
        for each in service.get("configs", ()):
            file = self.folder / "files" / each["source"]
            file.write_text(self.described["configs"][each["source"]]["content"])
            yield Mount(target=each["target"], source=file, read_only=True)

    def _source(self, name: str, source: str, target: str) -> Path:
        """Return a folder of the checkout, or a volume, which begins as the image's own folder."""
        if source.startswith("./"):
            return ROOT / source
        volume = self.folder / "volumes" / source
        place = self.image(name).root / target.lstrip("/")
        volume.mkdir(exist_ok=True)
        if place.exists() and not any(volume.iterdir()):
            found = place.stat()
            os.chown(volume, found.st_uid, found.st_gid)
            volume.chmod(stat.S_IMODE(found.st_mode))
        return volume


def visit(project: Project, call: Callable[[], T]) -> T:
    """Do it where the ports are published."""
    (gateway,) = project.containers["traefik"]
    return inside(gateway.namespace, call)


def _aliases(networks: Mapping[str, Any] | list[str]) -> Iterator[list[str]]:
    if not isinstance(networks, list):
        for options in networks.values():
            yield (options or {}).get("aliases", [])


def _words(service: Mapping[str, Any], image: Image) -> list[str]:
    """Return entrypoint and command; an entrypoint of the service forgets the image's command."""
    if "entrypoint" in service:
        return [*service["entrypoint"], *service.get("command", ())]
    return [*image.entrypoint, *service.get("command", image.command)]


def _user(user: str) -> str:
    return {"root": "0:0"}.get(user, user)
