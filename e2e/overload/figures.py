"""What a run showed, in a few lines, and what of it must not be."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from e2e.overload.abuses import ABUSES

if TYPE_CHECKING:
    from e2e.overload.run import Outcome

# Of whatever never came.
FOR_EVER_SECONDS = 10.0
QUIET, LOUD = ("before", "after"), ("during",)
# A hundred of each act are begun in this time: one slow moment of the machine is in one window.
WINDOW_SECONDS = 3.0
# Below this nobody notices, most of the time; and now and then so long a pause is any machine's.
UNNOTICED_MS, PAUSE_MS = 20.0, 150.0
MOST_OTHERS = 0.25


class Act(NamedTuple):
    """Something a normal user waits for: from one moment in a Talk to another."""

    name: str
    begins: str
    ends: str


ACTS = (
    Act("ack", "sent", "acked"),
    Act("delivery", "sent", "heard"),
    Act("history", "asked", "read"),
)


class Spread(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float
    longest: float


def spread(outcome: Outcome, act: Act, phases: tuple[str, ...]) -> Spread:
    """Of all that began in these phases."""
    moments = [outcome.phases[each] for each in phases]
    return _spread([each for moment in moments for each in _between(outcome, act, *moment)])


def _spread(numbers: list[float]) -> Spread:
    cuts = quantiles(numbers, n=100, method="inclusive")
    return Spread(cuts[49], cuts[98], max(numbers))


def _between(outcome: Outcome, act: Act, since: float, until: float) -> list[float]:
    """Milliseconds of what began then."""
    begun, ended = outcome.talk[act.begins], outcome.talk[act.ends]
    return [
        1000 * (ended.get(name, at + FOR_EVER_SECONDS) - at)
        for name, at in begun.items()
        if since <= at < until
    ]


def typical(outcome: Outcome, act: Act, phases: tuple[str, ...]) -> float:
    """The p99 of the median window."""
    begun = [outcome.phases[each] for each in phases]
    windows = [
        (since + n * WINDOW_SECONDS, since + (n + 1) * WINDOW_SECONDS)
        for since, until in begun
        for n in range(int((until - since) / WINDOW_SECONDS))
    ]
    return median(_spread(_between(outcome, act, *window)).p99 for window in windows)


def slowed(outcome: Outcome) -> list[str]:
    """What takes more than twice as long while there is abuse, as a rule or for once."""
    found = []
    for act in ACTS:
        quiet, loud = (typical(outcome, act, phases) for phases in (QUIET, LOUD))
        if loud > max(2 * quiet, UNNOTICED_MS):
            found.append(f"{act.name}: p99 {loud:.1f} ms, {quiet:.1f} ms when it is quiet")
        all_quiet, all_loud = (spread(outcome, act, phases).p99 for phases in (QUIET, LOUD))
        if all_loud > max(2 * all_quiet, PAUSE_MS):
            found.append(f"{act.name}: p99 of all {all_loud:.1f} ms, {all_quiet:.1f} ms when quiet")
    return found


def unmet(outcome: Outcome) -> list[str]:
    """Abuses that met no limit, or did not even take place."""
    return [
        f"{kind}: {sorted(ABUSES[kind].meets - met.keys()) or 'nothing was done'}"
        for kind, met in outcome.met.items()
        if not met or not met.keys() >= ABUSES[kind].meets
    ]


def others(outcome: Outcome) -> float:
    """How many of the machine's cores worked for somebody else, at most."""
    return max(cores["others"] for cores in outcome.cores.values())


def figures(outcome: Outcome) -> str:
    phases = [line for phase in outcome.phases for line in _phase(outcome, phase)]
    met = [f"  {kind}: {_counts(counts)}" for kind, counts in outcome.met.items()]
    used = [
        f"  {part} {what}: {' -> '.join(str(each[part, what]) for each in outcome.used.values())}"
        for part, what in outcome.used["before"]
    ]
    back = f"after {outcome.back_after:.0f} s: {outcome.grown() or 'everything is given back'}"
    return "\n".join([*phases, "what they met:", *met, "what was used:", *used, back])


def _phase(outcome: Outcome, phase: str) -> list[str]:
    spreads = [(act, spread(outcome, act, (phase,))) for act in ACTS]
    told = "; ".join(
        f"{act.name} p50 {each.p50:.1f} p99 {each.p99:.1f} max {each.longest:.1f} ms"
        for act, each in spreads
    )
    cores = ", ".join(f"{part} {used:.2f}" for part, used in outcome.cores[phase].items())
    return [f"{phase}: {told}", f"  cores: {cores}"]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items())
