"""`make soak`: faults at random for a while; or some by their names, one after the other."""

from __future__ import annotations

import argparse
import random
import sys

from e2e.chaos.faults import FAULTS
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, run
from e2e.chaos.soak import TIMING, soak
from e2e.history.operations import save
from e2e.traces import searched_stack
from local.services import ROOT

HISTORIES = ROOT / ".data" / "histories"


def main() -> int:
    """Run it; the answer is the exit code: 1 if a promise was not kept."""
    arguments = _arguments()
    HISTORIES.mkdir(parents=True, exist_ok=True)
    with searched_stack(sockets=3, http_each=2, settings=SETTINGS) as stack:
        if not arguments.faults:
            seconds = arguments.minutes * 60
            return not soak(stack, seconds=seconds, seed=arguments.seed, histories=HISTORIES)
        wrong = 0
        for name in arguments.faults:
            history = run(stack, FAULTS[name], TIMING)
            text, findings = report(name, history)
            save(history.operations, HISTORIES / f"{name.replace(' ', '-')}.jsonl")
            print(text, flush=True)
            wrong += len(findings)
    return bool(wrong)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m e2e.chaos", description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], help="instead of a soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
