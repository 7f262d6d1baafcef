"""What sockets that read nothing cost those that do, in a room where much is said."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.crowd_client import Load
from bench.fanout import run_load, usual
from bench.measurements import Measurement
from bench.stage import turned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.fanout import Contender
    from bench.stage import Stage

SLOW = "15 KB, 50/s to 40, of whom 20 never read"
ALL_READ = "all read"
SOCKETS, DEAF = 40, 20
# In ten seconds more than the kernel and a socket's own megabyte hold: the deaf are closed in it.
RATE, SIZE, SECONDS = 50, 15_000, 10.0


class SlowReaders:
    """The same room and the same load, with and without sockets that read nothing."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        parley = usual(stage)
        self._systems = [(parley, DEAF), (replace(parley, name=ALL_READ), 0)]

    def measure(self, number: int) -> Iterator[Measurement]:
        for contender, deaf in turned(self._systems, number):
            yield self._measured(contender, deaf, number)

    def _measured(self, contender: Contender, deaf: int, number: int) -> Measurement:
        load = Load(
            port=contender.port,
            pid=contender.pid,
            dialect=contender.dialect,
            paths=contender.paths(SOCKETS),
            prefix=uuid.uuid4().hex[:12],
            seconds=self._stage.seconds(SECONDS),
            warm_up=self._stage.seconds(1.0),
            rate=RATE,
            size=SIZE,
            deaf=deaf,
        )
        result = run_load(load, contender)
        return Measurement(
            round=number,
            workload=SLOW,
            system=contender.name,
            p50=1_000 * result.p50,
            p99=1_000 * result.p99,
            delivered=result.delivered,
            due=result.sent * (SOCKETS - deaf),
        )
