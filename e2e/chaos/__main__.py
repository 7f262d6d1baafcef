"""Some faults, one after the other: python -m e2e.chaos "redis frozen" "postgres frozen"."""

from __future__ import annotations

import sys
from pathlib import Path

from e2e.chaos.faults import FAULTS
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.history.operations import save
from local.testing import isolated_stack


def main(*names: str) -> int:
    """Run them; the answer is the exit code: 1 if a promise was not kept."""
    wrong = 0
    with isolated_stack(sockets=3, http_each=2, settings=SETTINGS) as stack:
        for name in names or FAULTS:
            history = run(stack, FAULTS[name], Timing())
            text, findings = report(name, history)
            print(text, flush=True)
            if findings:
                file = Path(".data") / f"history-{name.replace(' ', '-')}.jsonl"
                save(history.operations, file)
                print(f"  ! all of it: {file}", flush=True)
            wrong += len(findings)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
