"""What the audit costs while nothing happens: ten thousand rooms watched, nobody writing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench import rooms
from bench.measurements import Measurement
from bench.talk import Talk
from bench.usage import cpu_seconds, cpu_seconds_of_family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stage import Stage

AUDIT = "audit of 10,000 rooms"
POSTGRES = "Postgres's part"
SETTLE_SECONDS = 5.0
SECONDS = 10.0


class Auditing:
    """Ten sockets of people with a thousand rooms each, idle, in a process of their own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        parley = stage.parley
        parley.seed("many")
        self._process = parley.another()
        stage.started.callback(self._process.stop)
        assert self._process.port is not None
        for n in range(rooms.MANY_PEOPLE):
            talk = Talk(self._process.port, parley.path_of(rooms.in_many(n)))
            stage.started.callback(talk.close)
            talk.hear_of("ready")
        time.sleep(stage.seconds(SETTLE_SECONDS))

    def measure(self, number: int) -> Iterator[Measurement]:
        before, begin = self._used(), time.monotonic()
        time.sleep(self._stage.seconds(SECONDS))
        after, seconds = self._used(), time.monotonic() - begin
        ours, theirs = (100 * (after[n] - before[n]) / seconds for n in range(2))

        def measured(system: str, cpu: float) -> Measurement:
            return Measurement(round=number, workload=AUDIT, system=system, cpu=cpu)

        yield measured(self._stage.parley.name, ours + theirs)
        yield measured(POSTGRES, theirs)

    def _used(self) -> tuple[float, float]:
        postgres = self._stage.engines.postgres.process.pid
        return cpu_seconds(self._process.pid), cpu_seconds_of_family(postgres)
