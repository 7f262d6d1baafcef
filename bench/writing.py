"""The write path: what is sent over a socket is stored, acknowledged and told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.apart import run_apart
from bench.client import Load, Result
from bench.measurements import Measurement, percentile
from bench.stage import turned
from bench.systems import Parley, Prototype, Tutorial
from bench.systems.system import HOT_ROOM, ROOMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stage import Stage
    from bench.systems import System

HOT_SOCKETS = 64
HUNDRED_ROOMS = "100 rooms"
HOT_ROOM_LOAD = "one hot room"
RATE_200 = "200/s, 100 rooms"
RATE_1000 = "1,000/s, 100 rooms"


class WrongError(Exception):
    """A system was fast and wrong."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A load on every system; `rate` 0 is a closed loop with one message in flight per socket."""

    name: str
    hot: bool = False
    rate: float = 0.0
    seconds: float = 3.0
    too_much_for: tuple[str, ...] = ()

    def paths(self, system: System) -> list[str]:
        if self.hot:
            return [system.path(HOT_ROOM, second=n % 2 == 1) for n in range(HOT_SOCKETS)]
        return [system.path(room) for room in range(1, ROOMS + 1)]


WORKLOADS = (
    Workload(name=HUNDRED_ROOMS),
    Workload(name=HOT_ROOM_LOAD, hot=True),
    Workload(name=RATE_200, rate=200, seconds=4),
    # Its queue would only grow.
    Workload(name=RATE_1000, rate=1_000, seconds=4, too_much_for=("tutorial",)),
)


class Writing:
    """All of them take part, but where a load is beyond one."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._systems = [stage.system(kind) for kind in (Prototype, Parley, Tutorial)]

    def measure(self, number: int) -> Iterator[Measurement]:
        for workload in WORKLOADS:
            load = replace(workload, seconds=self._stage.seconds(workload.seconds))
            for system in turned(self._systems, number):
                if system.name not in load.too_much_for:
                    yield measure(load, system, number=number)


def measure(workload: Workload, system: System, *, number: int) -> Measurement:
    """Run a load in round `number` and sum it up."""
    result = run(workload, system)
    latencies = [1_000 * latency for latency in result.latencies]
    return Measurement(
        round=number,
        workload=workload.name,
        system=system.name,
        throughput=result.throughput,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        delivered=sum(result.delivered),
        # Every socket hears what is sent into its room.
        due=sum(result.sent) * (HOT_SOCKETS if workload.hot else 1),
    )


def run(workload: Workload, system: System) -> Result:
    """Run a load in a process of its own; raises WrongError if what it left is not sound."""
    load = Load(
        port=system.port,
        paths=workload.paths(system),
        prefix=uuid.uuid4().hex[:12],
        seconds=workload.seconds,
        warm_up=0.5,
        rate=workload.rate,
    )
    result = Result(**run_apart("bench.client", load, timeout=60 + workload.seconds))
    check(system, load, result)
    return result


_UNSOUND = """
SELECT count(*) FROM rooms LEFT JOIN (
    SELECT room_id, count(*) AS rows, count(DISTINCT seq) AS different, max(seq) AS last
    FROM messages GROUP BY room_id) AS stored ON stored.room_id = rooms.id
WHERE rooms.seq <> coalesce(rows, 0) OR rows <> different OR last <> rows
"""


def check(system: System, load: Load, result: Result) -> None:
    """Everything acknowledged is stored once, and every room is numbered without holes."""
    acked = [f"{load.prefix}-{n}" for n in result.acked]
    with system.database.cursor() as cursor:
        cursor.execute(_UNSOUND)
        unsound = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM messages WHERE client_id = ANY(%s)", [acked])
        stored = cursor.fetchone()
    if unsound != (0,) or stored != (len(acked),):
        raise WrongError(f"{system.name}: {unsound} unsound rooms, {stored} of {len(acked)} stored")
    if result.refused or len(acked) != sum(result.sent):
        raise WrongError(
            f"{system.name}: {len(acked)} of {sum(result.sent)} acked, {result.refused}"
        )
