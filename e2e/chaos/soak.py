"""Faults at random, from a seed, for as long as told; and in the end the figures of all of it."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from e2e.chaos.faults import FAULTS
from e2e.chaos.faults.fault import ImpossibleError
from e2e.chaos.figures import broken, report, spread
from e2e.chaos.run import Timing, run
from e2e.chaos.usage import measured
from e2e.history.checkers.hearing import delays
from e2e.history.checkers.personal import personal_delays
from e2e.history.checkers.presence import goings
from e2e.history.checkers.serving import answers, outgrown, recovery, refusals
from e2e.history.history import History
from e2e.history.operations import save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.history.history import Finding
    from local.stack import Stack

# In half an hour every kind has its turn.
TIMING = Timing(before=4, after=6)
LEAKS_SECONDS = 60.0
# What lasts longer would leave too little time for the others.
LONGEST_SHARE = 0.1


@dataclass
class Totals:
    """The figures of all runs together."""

    runs: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    acked: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    personally: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)
    back: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    impossible: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, history: History, findings: list[Finding]) -> None:
        self.runs[name] += 1
        self.found.update(each.checker for each in findings)
        self.refused.update(refusals(history))
        self.sent += len(history.sendings)
        self.acked += [seconds for seconds, _, kind in answers(history) if kind == "ok"]
        self.behind += [delay.seconds for delay in delays(history)]
        self.personally += [seconds for seconds, _ in personal_delays(history)]
        self.gone += [seconds for _, _, seconds in goings(history) if seconds is not None]
        if (back := recovery(history)) is not None:
            self.back[name].append(back)

    def lines(self) -> Iterator[str]:
        """What to print of it."""
        yield f"{self.runs.total()} runs, {self.sent} messages sent, {len(self.behind)} heard"
        for promise, number in broken(self.found).items():
            yield f"{promise}: {number}"
        yield f"acknowledged after: {spread(self.acked)}"
        yield f"heard after: {spread(self.behind)}"
        yield f"what is personal after: {spread(self.personally)}"
        yield f"shown gone after: {spread(self.gone)}"
        for name, seconds in sorted(self.back.items()):
            told = f"first ack after {max(seconds):.2f} s at most"
            yield f"  {name} ({self.runs[name]} times): {told}"
        yield f"met on the way: {dict(self.refused.most_common())}"
        for name, why in self.impossible.items():
            yield f"not on this machine: {name}: {why}"
        if left := FAULTS.keys() - self.runs.keys() - self.impossible.keys():
            yield f"there was no time for: {', '.join(sorted(left))}"


def soak(stack: Stack, *, seconds: float, seed: int, histories: Path) -> bool:
    """Print each run and the figures; says whether every promise was kept."""
    print(f"Seed {seed}, for {seconds:.0f} s", flush=True)
    chance, totals = random.Random(seed), Totals()
    run(stack, FAULTS["nothing"], TIMING)  # So that all that is made once is there.
    before = measured(stack, "before")
    until = time.monotonic() + seconds
    short = sorted(name for name in FAULTS if FAULTS[name].seconds <= seconds * LONGEST_SHARE)
    to_come: list[str] = []
    while time.monotonic() < until:
        # Each in its turn, so that none is left out for long.
        to_come = to_come or chance.sample(short, len(short))
        name = to_come.pop()
        try:
            history = run(stack, FAULTS[name], TIMING)
        except ImpossibleError as error:
            totals.impossible[name] = str(error)
            continue
        text, findings = report(name, history)
        print(text, flush=True)
        if findings:
            save(history.operations, histories / f"history-{totals.runs.total()}.jsonl")
        totals.add(name, history, findings)
    time.sleep(LEAKS_SECONDS)
    leaks = list(outgrown(History([*before, *measured(stack, "after")])))
    totals.found.update(each.checker for each in leaks)
    print("\n".join([*totals.lines(), *(each.text for each in leaks)]), flush=True)
    return not totals.found
