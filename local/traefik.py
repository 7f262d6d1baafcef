"""Traefik from the files in traefik/, with only the addresses changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from local.binaries import traefik_program
from local.health import answers
from local.ports import LOOPBACK
from local.processes import Process

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = Path(__file__).parent.parent / "traefik"
PUBLIC_HEALTH = ("/health/auth/live", "/health/chat/live", "/health/sockets/live")


@dataclass(kw_only=True)
class Traefik:
    """The gateway on two loopback ports, the public one and the operators'."""

    home: Path
    logs: Path
    port: int
    operators_port: int
    auth_urls: Sequence[str]
    chat_urls: Sequence[str]
    sockets_urls: Sequence[str]
    mailbox_url: str = ""
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(
            name="traefik",
            command=[str(traefik_program()), f"--configfile={self._file}"],
            folder=self.home.parent,
            log=self.logs / "traefik.log",
            port=self.port,
            environment={
                "AUTH_URLS": ",".join(self.auth_urls),
                "CHAT_URLS": ",".join(self.chat_urls),
                "SOCKETS_URLS": ",".join(self.sockets_urls),
                "MAILBOX_URL": self.mailbox_url,
            },
        )

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it, and return when every service answers through it."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.write_text(self.static_settings())
        self.process.start()
        self.process.wait_until(self.answers)

    def stop(self) -> None:
        self.process.stop()

    def answers(self) -> bool:
        return all(answers(self.port, path) for path in PUBLIC_HEALTH)

    def static_settings(self) -> str:
        """Return traefik.yaml with our addresses: beside a file Traefik reads no flags."""
        text = (FILES / "traefik.yaml").read_text()
        for standing, ours in self._addresses().items():
            if text.count(standing) != 1:
                raise ValueError(f"traefik.yaml should name {standing} exactly once.")
            text = text.replace(standing, ours)
        return text

    def ask(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Ask Traefik's own API, for example `/api/http/routers`."""
        with urlopen(f"http://{LOOPBACK}:{self.operators_port}{path}") as answer:
            return json.load(answer)

    def sends_to(self, service: str) -> set[str]:
        """Return the addresses of a service that get requests now."""
        servers = self.ask(f"/api/http/services/{service}@file")["serverStatus"]
        return {url for url, status in servers.items() if status == "UP"}

    def _addresses(self) -> dict[str, str]:
        return {
            'address: ":8000"': f'address: "{LOOPBACK}:{self.port}"',
            'address: ":8001"': f'address: "{LOOPBACK}:{self.operators_port}"',
            # A JSON string is a YAML one, whatever the path holds.
            "directory: /etc/traefik/dynamic": f"directory: {json.dumps(str(FILES / 'dynamic'))}",
        }

    @property
    def _file(self) -> Path:
        return self.home / "traefik.yaml"
