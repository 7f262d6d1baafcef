"""`make bench`: measure everything in interleaved rounds, and judge it."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench import reading, verifying
from bench.engines import engines
from bench.machine import machine, versions
from bench.measurements import Measurements
from bench.report import report
from bench.systems import Parley, Prototype, System, Tutorial
from bench.targets import verdicts
from bench.writing import WORKLOADS, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.engines import Engines

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5
QUICK_SECONDS = 1.0

T = TypeVar("T")


def main() -> int:
    """Run it all; the answer is the exit code: 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short round, whose results are only shown"
    )
    quick = parser.parse_args().quick
    with engines() as running:
        measurements = _measure(running, quick=quick)
        facts = {"Machine": machine(), "Versions": versions(running)}
    judged = verdicts(measurements)
    date = datetime.now(UTC).date().isoformat()
    command = "python -m bench --quick" if quick else "make bench"
    text = report(measurements, judged, facts, title=f"Measured on {date}", command=command)
    print(f"\n{text}")
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{date}.md").write_text(text)
    return 0 if all(verdict.passed for verdict in judged) else 1


def _measure(running: Engines, *, quick: bool) -> Measurements:
    """Do the write path first: history is then as long as the writers made it."""
    found, rounds = Measurements(), range(1, 2 if quick else ROUNDS + 1)
    with ExitStack() as started:
        systems: list[System] = []
        for kind in (Prototype, Parley, Tutorial):
            systems.append(kind(running))
            started.callback(systems[-1].stop)
        for number in rounds:
            _write(found, _turned(systems, number), number, quick=quick)
        parley = next(system for system in systems if isinstance(system, Parley))
        servers = reading.start(parley, started)
        for number in rounds:
            for server in _turned(servers, number):
                seconds = QUICK_SECONDS if quick else reading.SECONDS
                found.add(reading.measure(server, number=number, seconds=seconds))
            for measurement in verifying.measure(number=number):
                found.add(measurement)
    return found


def _write(found: Measurements, systems: Sequence[System], number: int, *, quick: bool) -> None:
    for workload in WORKLOADS:
        load = replace(workload, seconds=QUICK_SECONDS) if quick else workload
        for system in systems:
            if system.name not in load.too_much_for:
                found.add(measure(load, system, number=number))


def _turned(items: Sequence[T], number: int) -> list[T]:
    """Let another one be first in each round."""
    first = number % len(items)
    return [*items[first:], *items[:first]]


if __name__ == "__main__":
    sys.exit(main())
