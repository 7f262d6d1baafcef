"""What was measured: one line per round, workload and system."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """`throughput` is per second, `p50` and `p99` are milliseconds from due to answered.

    Of the `due` events that sockets had to hear, `delivered` came.
    """

    round: int
    workload: str
    system: str
    throughput: float
    p50: float
    p99: float
    delivered: int = 0
    due: int = 0

    def __str__(self) -> str:
        return (
            f"round {self.round}  {self.workload:20} {self.system:16}"
            f"{self.throughput:10,.0f}/s  p50 {self.p50:7.2f} ms  p99 {self.p99:7.2f} ms"
        )


class Measurements:
    """All of a run, in the order they were taken."""

    def __init__(self, taken: Iterable[Measurement] = ()) -> None:
        self.taken = list(taken)

    def add(self, measurement: Measurement) -> None:
        """Keep one, and show it."""
        self.taken.append(measurement)
        print(measurement, flush=True)

    def workloads(self) -> list[str]:
        return list(dict.fromkeys(each.workload for each in self.taken))

    def systems(self, workload: str) -> list[str]:
        return sorted({each.system for each in self.taken if each.workload == workload})

    def of(self, system: str, workload: str) -> list[Measurement]:
        """Return what one system did in one workload, by round."""
        mine = [each for each in self.taken if (each.system, each.workload) == (system, workload)]
        return sorted(mine, key=lambda each: each.round)

    def ratio(self, figure: str, workload: str, system: str, against: str) -> float:
        """Return the median over rounds of one system's figure divided by another's."""
        pairs = zip(self.of(system, workload), self.of(against, workload), strict=True)
        ratios = [getattr(mine, figure) / getattr(theirs, figure) for mine, theirs in pairs]
        return float(median(ratios))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
