"""What was measured: one line per round, workload and system."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Figure(NamedTuple):
    """One of a measurement's numbers, and how people read it."""

    name: str
    title: str
    form: str


FIGURES = (
    Figure("per_cpu", "per CPU-second", ",.0f"),
    Figure("throughput", "per second", ",.0f"),
    Figure("p50", "p50 ms", ".2f"),
    Figure("p99", "p99 ms", ".2f"),
    Figure("memory", "KB per socket", ".1f"),
    Figure("cpu", "% of a core", ".2f"),
)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one system did in one round; what a workload does not ask for is None.

    `throughput` is per second, and `per_cpu` per second of the server's processor time; `p50` and
    `p99` are milliseconds from due to answered. Of the `due` events that sockets had to hear,
    `delivered` came.
    """

    round: int
    workload: str
    system: str
    throughput: float | None = None
    per_cpu: float | None = None
    p50: float | None = None
    p99: float | None = None
    memory: float | None = None
    cpu: float | None = None
    delivered: int = 0
    due: int = 0

    def has(self, figure: Figure) -> bool:
        return getattr(self, figure.name) is not None

    def value(self, name: str) -> float:
        """Return a figure by its name, which this workload must ask for."""
        return float(getattr(self, name))

    def __str__(self) -> str:
        figures = [
            f"{figure.title} {self.value(figure.name):{figure.form}}"
            for figure in FIGURES
            if self.has(figure)
        ]
        return f"round {self.round}  {self.workload:22} {self.system:16} {'  '.join(figures)}"


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

    def median(self, figure: str, workload: str, system: str) -> float:
        """Return the median over rounds of one system's figure."""
        return float(median(each.value(figure) for each in self.of(system, workload)))

    def ratio(self, figure: str, workload: str, system: str, against: str) -> float:
        """Return the median over rounds of one system's figure divided by another's."""
        pairs = zip(self.of(system, workload), self.of(against, workload), strict=True)
        return float(median(mine.value(figure) / theirs.value(figure) for mine, theirs in pairs))


def repeated(act: Callable[[], object], seconds: float) -> list[float]:
    """Do it one after another for so long; returns what each took, in seconds."""
    taken, begin = [], monotonic()
    while (started := monotonic()) < begin + seconds:
        act()
        taken.append(monotonic() - started)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
