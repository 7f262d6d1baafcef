"""What Parley promises about its speed, and whether a run kept it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.accepting import ACCEPTS, IDLE
from bench.auditing import AUDIT
from bench.catching_up import MANY_ROOMS, ONE_ROOM
from bench.fanout import DAPHNE, RATE_20, SOCKET_IO, STORED, TO_100, TO_1000, TRAEFIK
from bench.logging_out import ALL, AMONG
from bench.measurements import FIGURES
from bench.reading import HISTORY, MODEL_SERIALIZER
from bench.signing_in import ARGON2, LOGIN
from bench.slow_readers import ALL_READ, SLOW
from bench.verifying import PYJWT, WORKLOAD
from bench.writing import HUNDRED_ROOMS, RATE_200, RATE_1000

if TYPE_CHECKING:
    from bench.measurements import Measurement, Measurements

OURS = "parley"
EXACT = (OURS, "prototype", STORED, TRAEFIK, DAPHNE)


class Verdict(NamedTuple):
    passed: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bound on a `system`'s `figure` divided by that of another in the same round."""

    workload: str
    figure: str
    against: str
    system: str = OURS
    at_least: float | None = None
    at_most: float | None = None
    aim: str = ""

    def judge(self, measurements: Measurements) -> Verdict:
        for system in (self.system, self.against):
            if system not in measurements.systems(self.workload):
                return Verdict(False, f"{self.workload}: {system} was not measured")
        ratio = measurements.ratio(self.figure, self.workload, self.system, self.against)
        if self.at_least is not None:
            passed, bound = ratio >= self.at_least, f"at least {self.at_least:g}"
        else:
            assert self.at_most is not None
            passed, bound = ratio <= self.at_most, f"at most {self.at_most:g}"
        who = "" if self.system == OURS else f" of {self.system}"
        text = f"{self.workload}: {self.figure}{who} is {ratio:.2f} x that of {self.against}"
        return Verdict(passed, f"{text} ({bound} x{self.aim})")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A bound on what parley's `figure` itself may be."""

    workload: str
    figure: str
    at_most: float

    def judge(self, measurements: Measurements) -> Verdict:
        value = measurements.median(self.figure, self.workload, OURS)
        title = next(figure.title for figure in FIGURES if figure.name == self.figure)
        text = f"{self.workload}: {title} {value:.1f} (at most {self.at_most:g})"
        return Verdict(value <= self.at_most, text)


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
    Target(workload=WORKLOAD, figure="throughput", against=PYJWT, at_least=0.7),
    Target(workload=LOGIN, figure="throughput", against=ARGON2, at_least=0.9),
    Target(workload=TO_100, figure="per_cpu", against=SOCKET_IO, at_least=1),
    Target(workload=TO_1000, figure="per_cpu", against=SOCKET_IO, at_least=1, aim=", aim 1.4 x"),
    Target(workload=TO_100, figure="per_cpu", against="tutorial", at_least=12),
    Target(workload=TO_1000, figure="per_cpu", against="tutorial", at_least=12),
    Target(workload=RATE_20, figure="p99", against=SOCKET_IO, at_most=1.5),
    Target(workload=RATE_20, figure="p99", system=STORED, against=SOCKET_IO, at_most=1.5),
    Target(workload=RATE_20, figure="p50", against=SOCKET_IO, at_most=3),
    Target(workload=SLOW, figure="p99", against=ALL_READ, at_most=1.1),
    Target(workload=ACCEPTS, figure="throughput", against="plain ASGI", at_least=0.4),
    Limit(workload=IDLE, figure="memory", at_most=50),
    Limit(workload=ONE_ROOM, figure="p99", at_most=200),
    Limit(workload=MANY_ROOMS, figure="p99", at_most=1_000),
    Limit(workload=AMONG, figure="p99", at_most=2_000),
    Limit(workload=ALL, figure="p99", at_most=2_000),
    Limit(workload=AUDIT, figure="cpu", at_most=5),
)


def verdicts(measurements: Measurements) -> list[Verdict]:
    """Judge every target whose workload was measured."""
    measured = measurements.workloads()
    targets = [target for target in TARGETS if target.workload in measured]
    exact = [name for name in EXACT if any(each.due for each in _by(name, measurements))]
    return [
        *(target.judge(measurements) for target in targets),
        *(_deliveries(system, measurements) for system in exact),
    ]


def _by(system: str, measurements: Measurements) -> list[Measurement]:
    return [each for each in measurements.taken if each.system == system]


def _deliveries(system: str, measurements: Measurements) -> Verdict:
    mine = _by(system, measurements)
    due, delivered = sum(each.due for each in mine), sum(each.delivered for each in mine)
    complete = all(each.delivered == each.due for each in mine)
    return Verdict(complete, f"deliveries: {system} made {delivered:,} of {due:,}")
