"""What Parley promises about its speed, and whether a run kept it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.reading import HISTORY, MODEL_SERIALIZER
from bench.writing import HUNDRED_ROOMS, RATE_200, RATE_1000

if TYPE_CHECKING:
    from bench.measurements import Measurements

OURS = "parley"
EXACT = (OURS, "prototype")


class Verdict(NamedTuple):
    passed: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bound on parley's `figure` divided by that of another system in the same round."""

    workload: str
    figure: str
    against: str
    at_least: float | None = None
    at_most: float | None = None
    aim: str = ""

    def judge(self, measurements: Measurements) -> Verdict:
        ratio = measurements.ratio(self.figure, self.workload, OURS, self.against)
        if self.at_least is not None:
            passed, bound = ratio >= self.at_least, f"at least {self.at_least:g}"
        else:
            assert self.at_most is not None
            passed, bound = ratio <= self.at_most, f"at most {self.at_most:g}"
        text = f"{self.workload}: {self.figure} is {ratio:.2f} x that of {self.against}"
        return Verdict(passed, f"{text} ({bound} x{self.aim})")


TARGETS = (
    Target(workload=HUNDRED_ROOMS, figure="throughput", against="tutorial", at_least=10),
    Target(
        workload=HUNDRED_ROOMS,
        figure="throughput",
        against="prototype",
        at_least=0.5,
        aim=", aim 0.8 x",
    ),
    Target(workload=RATE_200, figure="p50", against="prototype", at_most=2),
    Target(workload=RATE_200, figure="p99", against="prototype", at_most=3),
    Target(workload=RATE_1000, figure="p50", against="prototype", at_most=2),
    Target(workload=RATE_1000, figure="p99", against="prototype", at_most=3),
    Target(workload=HISTORY, figure="throughput", against=MODEL_SERIALIZER, at_least=3),
)


def verdicts(measurements: Measurements) -> list[Verdict]:
    """Judge every target."""
    ratios = [target.judge(measurements) for target in TARGETS]
    return [*ratios, *(_deliveries(system, measurements) for system in EXACT)]


def _deliveries(system: str, measurements: Measurements) -> Verdict:
    mine = [each for each in measurements.taken if each.system == system]
    due, delivered = sum(each.due for each in mine), sum(each.delivered for each in mine)
    complete = due > 0 and all(each.delivered == each.due for each in mine)
    return Verdict(complete, f"deliveries: {system} made {delivered:,} of {due:,}")
