"""messaging_service reached in other ways: through the gateway, and under Daphne."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.ports import LOOPBACK, free_ports
from local.services import ready
from local.traefik import Traefik

if TYPE_CHECKING:
    from bench.stage import Stage
    from local.processes import Process


def traefik(stage: Stage) -> Traefik:
    """Start the gateway in front of parley's socket process alone."""
    ports, url = free_ports(2), f"http://{LOOPBACK}:{stage.parley.port}"
    gateway = Traefik(
        home=stage.engines.home / "traefik",
        logs=stage.engines.home / "log",
        port=ports[0],
        operators_port=ports[1],
        auth_urls=[url],
        chat_urls=[url],
        sockets_urls=[url],
    )
    stage.started.callback(gateway.stop)
    gateway.start()
    return gateway


def daphne(stage: Stage) -> Process:
    """Start parley's application under Daphne."""
    port = free_ports(1)[0]
    process = stage.parley.service.sockets(number=0, port=port, server="daphne")
    stage.started.callback(process.stop)
    process.start()
    process.wait_until(lambda: ready(process))
    return process
