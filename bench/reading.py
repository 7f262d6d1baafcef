"""The read path: a page of history, as messaging_service and as a usual DRF view answer it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.apart import run_apart
from bench.http_client import Load, Result
from bench.measurements import Measurement, percentile
from bench.stage import turned
from bench.systems.system import HOT_ROOM
from bench.tokens import token_of
from bench.writing import WrongError
from local.health import answers
from local.ports import free_ports
from local.services import ROOT, ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from bench.stage import Stage
    from bench.systems import Parley
    from local.processes import Process

HISTORY = "GET of 50 messages"
MODEL_SERIALIZER = "ModelSerializer"
PAGE = 50
SECONDS = 3.0
CONNECTIONS = 8


@dataclass(frozen=True, kw_only=True)
class Server:
    """A gunicorn with the messages of Parley's hot room, and the ids its page must hold."""

    name: str
    port: int
    newest: list[int]


class Reading:
    """Both servers read what was written into the hot room, or what stands there by itself."""

    def __init__(self, stage: Stage) -> None:
        self._seconds = stage.seconds(SECONDS)
        self._servers = start(stage.parley, stage.started)

    def measure(self, number: int) -> Iterator[Measurement]:
        for server in turned(self._servers, number):
            yield measure(server, number=number, seconds=self._seconds)


def start(parley: Parley, started: ExitStack) -> list[Server]:
    """Start both servers over Parley's database; `started` stops them."""
    ports = free_ports(2)
    ours = parley.service.http(port=ports[0])
    theirs = _model_serializer(parley.service.http(port=ports[1]))
    for process in (ours, theirs):
        process.start()
        started.callback(process.stop)
    ours.wait_until(lambda: ready(ours))
    theirs.wait_until(lambda: answers(ports[1], "/health/live"))
    with parley.database.cursor() as cursor:
        # Both read a table in good order, not one whose cleaning falls into somebody's turn.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            "SELECT id FROM messages WHERE room_id = %s ORDER BY seq DESC LIMIT %s",
            [HOT_ROOM, PAGE],
        )
        newest = sorted(id_ for (id_,) in cursor.fetchall())
    names = (parley.name, MODEL_SERIALIZER)
    return [
        Server(name=name, port=port, newest=newest) for name, port in zip(names, ports, strict=True)
    ]


def _model_serializer(service: Process) -> Process:
    """Return the process with everything as it is, but for the application it serves."""
    application = "bench.modelview.wsgi"
    return replace(
        service,
        name="modelview",
        log=service.log.with_name("modelview.log"),
        command=[application if word == "config.wsgi" else word for word in service.command],
        folder=ROOT,
        environment={
            **service.environment,
            "DJANGO_SETTINGS_MODULE": "bench.modelview.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
        },
    )


def measure(server: Server, *, number: int, seconds: float) -> Measurement:
    """Ask one server for the page in round `number`; raises WrongError if it is another page."""
    load = Load(
        port=server.port,
        path=f"/api/chat/rooms/{HOT_ROOM}/messages/",
        token=token_of(f"first-{HOT_ROOM}"),
        connections=CONNECTIONS,
        seconds=seconds,
        warm_up=0.5,
    )
    result = _run(load)
    page = sorted(message["id"] for message in json.loads(result.body)["results"])
    if len(page) != PAGE or page != server.newest:
        raise WrongError(f"{server.name} answered with another page: {page}")
    latencies = [1_000 * latency for latency in result.latencies]
    return Measurement(
        round=number,
        workload=HISTORY,
        system=server.name,
        throughput=len(latencies) / seconds,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
    )


def _run(load: Load) -> Result:
    return Result(**run_apart("bench.http_client", load, timeout=60 + load.seconds))
