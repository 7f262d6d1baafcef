"""Abuse for longer, round after round, or of some kinds only, and print what it does.

python -m e2e.overload --seconds 30 --rounds 3
python -m e2e.overload --alone --people 8 "slow readers" pings
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from e2e.overload.abuses import ABUSES
from e2e.overload.figures import figures, slowed, unmet
from e2e.overload.guests import SETTINGS, cast, everybody
from e2e.overload.run import Timing, run
from local.testing import isolated_stack

if TYPE_CHECKING:
    from e2e.overload.guests import Cast
    from local.stack import Stack


def main() -> int:
    """Run it; the answer is the exit code: 1 if anything is not as it should be."""
    arguments = _arguments()
    kinds = {kind: arguments.people or everybody()[kind] for kind in arguments.kinds or ABUSES}
    groups = [[kind] for kind in kinds] if arguments.alone else [list(kinds)]
    seconds = arguments.seconds
    timing = Timing(before=seconds, during=seconds, after=seconds / 2)
    wrong = []
    with isolated_stack(settings=SETTINGS) as stack:
        who = cast(stack, kinds)
        for group in groups:
            for number in range(arguments.rounds):
                print(f"\n== {', '.join(group)}: {number + 1}")
                wrong += _round(stack, who.with_only(group), timing)
    return bool(wrong)


def _round(stack: Stack, who: Cast, timing: Timing) -> list[str]:
    outcome = run(stack, who, timing)
    print(figures(outcome))
    wrong = [*outcome.talk["wrong"], *slowed(outcome), *unmet(outcome), *outcome.grown()]
    print("\n".join(f"! {each}" for each in wrong), flush=True)
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m e2e.overload", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*ABUSES, []], help="instead of all")
    parser.add_argument("--alone", action="store_true", help="one kind after the other")
    parser.add_argument("--people", type=int, help="of each kind")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
