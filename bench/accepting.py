"""Sockets: how fast they are let in, and what an idle one costs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING

from bench.measurements import Measurement, percentile
from bench.rooms import PAIRS
from bench.stage import turned
from bench.systems import Parley, Plain
from bench.talk import Storm
from bench.usage import alone, cpu_seconds, resident_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stage import Stage
    from local.processes import Process

ACCEPTS = "accepting 1,000 sockets"
IDLE = "2,000 idle sockets"
ACCEPTED, OPENED = 1_000, 2_000
WARM_UP = 100
PAUSE_SECONDS = 0.5
# Presence is told by then, and whatever else an arrival starts.
SETTLE_SECONDS = 3.0


Server = Parley | Plain


class Accepting:
    """A new token for each socket, the sockets spread over a hundred rooms and 200 people."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._servers: list[Server] = [stage.parley, stage.system(Plain)]

    def measure(self, number: int) -> Iterator[Measurement]:
        for server in turned(self._servers, number):
            yield self._accepts(server, number)
        for server in turned(self._servers, number):
            yield self._idle(server, number)

    def _accepts(self, server: Server, number: int) -> Measurement:
        paths = _paths(server, ACCEPTED)
        pid = server.process.pid
        with alone(pid):
            used = cpu_seconds(pid)
            storm = Storm(server.port, paths)
            used = cpu_seconds(pid) - used
            storm.close()
            # The next one's turn begins when this one has closed them all.
            time.sleep(PAUSE_SECONDS)
        latencies = [1_000 * latency for latency in storm.latencies]
        return Measurement(
            round=number,
            workload=ACCEPTS,
            system=server.name,
            throughput=len(latencies) / storm.seconds,
            per_cpu=len(latencies) / used,
            p50=percentile(latencies, 0.5),
            p99=percentile(latencies, 0.99),
        )

    def _idle(self, server: Server, number: int) -> Measurement:
        """Measure a new process: an old one has memory to give that it took before."""
        with _running(server.another()) as process:
            assert process.port is not None
            Storm(process.port, _paths(server, WARM_UP)).close()
            time.sleep(PAUSE_SECONDS)
            before = resident_bytes(process.pid)
            storm = Storm(process.port, _paths(server, OPENED))
            time.sleep(self._stage.seconds(SETTLE_SECONDS))
            grown = resident_bytes(process.pid) - before
            storm.close()
        memory = grown / OPENED / 1_000
        return Measurement(round=number, workload=IDLE, system=server.name, memory=memory)


def _paths(server: Server, count: int) -> list[str]:
    members = [(room, second) for room in range(1, PAIRS) for second in (False, True)]
    turns = islice(cycle(members), count)
    return [server.path(room, second=second) for room, second in turns]


@contextmanager
def _running(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        process.stop()
