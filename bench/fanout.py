"""Fan-out: what one member of a full room says is told to all of them.

The server has a core of its own; the client shares the other with Redis and Postgres.
"""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.apart import run_apart
from bench.crowd_client import Load, Result
from bench.disk import kept
from bench.measurements import Measurement, percentile
from bench.stage import turned
from bench.systems import SocketIo, Tutorial
from bench.systems.system import HOT_ROOM
from bench.usage import alone
from bench.variants import daphne, traefik
from bench.writing import WrongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bench.stage import Stage

TO_100 = "fan-out to 100"
TO_1000 = "fan-out to 1,000"
RATE_20 = "fan-out to 100, 20/s"
SOCKET_IO = SocketIo.name
TRAEFIK = "parley, Traefik"
DAPHNE = "parley, Daphne"
STORED = "parley, from stored"
DISK = "the disk alone"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """`rate` 0 is a closed loop with four messages on their way."""

    name: str
    sockets: int
    rate: float = 0.0
    seconds: float = 3.0


WORKLOADS = (
    Workload(name=TO_100, sockets=100),
    Workload(name=TO_1000, sockets=1_000),
    Workload(name=RATE_20, sockets=100, rate=20, seconds=10),
)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """Where a system is reached, the process whose time counts, and what loads it."""

    name: str
    port: int
    pid: int
    dialect: str
    paths: Callable[[int], list[str]]
    only: tuple[str, ...] = (TO_100, TO_1000, RATE_20)
    client: str = "bench.crowd_client"
    environment: Mapping[str, str] = field(default_factory=dict)


class FanOut:
    """Every frame is read and counted; whether any is missing stands in the results."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._contenders = list(_contenders(stage))

    def measure(self, number: int) -> Iterator[Measurement]:
        for workload in WORKLOADS:
            if workload.rate:
                self._write_back()
            for contender in turned(self._contenders, number):
                if workload.name in contender.only:
                    yield self._measured(workload, contender, number)
            if workload.rate:
                yield self._disk(workload, number)

    def _measured(self, workload: Workload, contender: Contender, number: int) -> Measurement:
        load = Load(
            port=contender.port,
            pid=contender.pid,
            dialect=contender.dialect,
            paths=contender.paths(workload.sockets),
            prefix=uuid.uuid4().hex[:12],
            seconds=self._stage.seconds(workload.seconds),
            warm_up=self._stage.seconds(1.0),
            rate=workload.rate,
        )
        result = run_load(load, contender)
        return Measurement(
            round=number,
            workload=workload.name,
            system=contender.name,
            throughput=result.told / result.seconds,
            # With little to do the clock that counts it is too coarse.
            per_cpu=None if workload.rate else result.told / result.cpu_seconds,
            p50=1_000 * result.p50,
            p99=1_000 * result.p99,
            delivered=result.delivered,
            due=result.sent * workload.sockets,
        )

    def _write_back(self) -> None:
        """Have Postgres put on the disk what came before, which else it does meanwhile."""
        with closing(self._stage.engines.postgres.connect()) as link:
            link.autocommit = True
            link.cursor().execute("CHECKPOINT")

    def _disk(self, workload: Workload, number: int) -> Measurement:
        """What socket.io, which keeps nothing, does not wait for."""
        seconds = self._stage.seconds(workload.seconds)
        taken = kept(self._stage.engines.home, rate=workload.rate, seconds=seconds)
        return Measurement(
            round=number,
            workload=workload.name,
            system=DISK,
            throughput=len(taken) / seconds,
            p50=1_000 * percentile(taken, 0.5),
            p99=1_000 * percentile(taken, 0.99),
        )


def _contenders(stage: Stage) -> Iterator[Contender]:
    tutorial, ours = stage.system(Tutorial), usual(stage)
    yield ours
    yield replace(
        ours,
        name=STORED,
        only=(RATE_20,),
        client="bench.storing_client",
        environment=stage.parley.code_environment,
    )
    if SocketIo.can_run():
        theirs = stage.system(SocketIo)
        yield Contender(
            name=theirs.name,
            port=theirs.port,
            pid=theirs.process.pid,
            dialect="socket.io",
            paths=lambda size: [theirs.path()] * size,
        )
    yield Contender(
        name=tutorial.name,
        port=tutorial.port,
        pid=tutorial.process.pid,
        dialect="tutorial",
        paths=lambda size: [tutorial.path(HOT_ROOM)] * size,
    )
    yield replace(ours, name=TRAEFIK, port=traefik(stage).port, only=(RATE_20,))
    other = daphne(stage)
    assert other.port is not None
    yield replace(ours, name=DAPHNE, port=other.port, pid=other.pid)


def usual(stage: Stage) -> Contender:
    """Return parley as its clients reach it: over a socket of its one process."""
    parley = stage.parley
    return Contender(
        name=parley.name,
        port=parley.port,
        pid=parley.process.pid,
        dialect="parley",
        paths=parley.crowd,
    )


def run_load(load: Load, contender: Contender) -> Result:
    """Run a load in a process of its own, with a core for the server's. Raises WrongError."""
    with alone(load.pid):
        told = run_apart(
            contender.client,
            load,
            timeout=120 + load.seconds,
            environment=contender.environment,
        )
    result = Result(**told)
    if result.refused:
        raise WrongError(f"{contender.name}: {result.refused}")
    return result
