"""`make bench`: measure everything in interleaved rounds, and judge it."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.accepting import Accepting
from bench.auditing import Auditing
from bench.catching_up import CatchingUp
from bench.engines import engines
from bench.fanout import FanOut
from bench.logging_out import LoggingOut
from bench.machine import machine, versions
from bench.measurements import Measurements
from bench.reading import Reading
from bench.report import report
from bench.signing_in import SigningIn
from bench.slow_readers import SlowReaders
from bench.stage import Stage
from bench.targets import verdicts
from bench.verifying import Verifying
from bench.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.engines import Engines
    from bench.stage import Part

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5

# In this order: history is then as long as the writers made it.
PARTS: dict[str, type[Part]] = {
    "writing": Writing,
    "reading": Reading,
    "verifying": Verifying,
    "signing-in": SigningIn,
    "logging-out": LoggingOut,
    "fanout": FanOut,
    "slow-readers": SlowReaders,
    "accepting": Accepting,
    "catching-up": CatchingUp,
    "audit": Auditing,
}


def main() -> int:
    """Run it all; the answer is the exit code: 1 if a target is missed."""
    arguments = _arguments()
    with engines() as running:
        measurements = _measure(running, arguments.only, arguments.rounds, quick=arguments.quick)
        facts = {"Machine": machine(), "Versions": versions(running)}
    judged = verdicts(measurements)
    date = datetime.now(UTC).date().isoformat()
    complete = not arguments.quick and arguments.only == list(PARTS) and arguments.rounds == ROUNDS
    command = "make bench" if complete else " ".join(["python -m bench", *sys.argv[1:]])
    text = report(measurements, judged, facts, title=f"Measured on {date}", command=command)
    print(f"\n{text}")
    if complete:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{date}.md").write_text(text)
    return 0 if all(verdict.passed for verdict in judged) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, epilog="Only a whole run is kept in results/."
    )
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, help=f"how many, {ROUNDS} if not said")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}"
    )
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else ROUNDS)
    arguments.only = [name for name in PARTS if name in (arguments.only or PARTS)]
    return arguments


def _measure(running: Engines, parts: Sequence[str], rounds: int, *, quick: bool) -> Measurements:
    found = Measurements()
    with ExitStack() as started:
        stage = Stage(running, started, quick=quick)
        for name in parts:
            part = PARTS[name](stage)
            for number in range(1, rounds + 1):
                for measurement in part.measure(number):
                    found.add(measurement)
    return found


if __name__ == "__main__":
    sys.exit(main())
