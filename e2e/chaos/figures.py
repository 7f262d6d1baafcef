"""The figures of a run, promise by promise."""

from __future__ import annotations

from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING

from e2e.history.checkers import judge
from e2e.history.checkers.hearing import delays
from e2e.history.checkers.personal import personal_delays
from e2e.history.checkers.presence import goings
from e2e.history.checkers.revoking import endings
from e2e.history.checkers.serving import answers, recovery, refusals
from e2e.history.checkers.staying import moves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.history.history import Finding, History


# What each promise is called in a report, and which checkers stand for it.
PROMISES = {
    "lost": {"lost"},
    "doubled": {"doubled", "phantom"},
    "reordered": {"real_time", "session_order", "heard_order", "agreement", "personal_order"},
    "gaps": {"dense", "missed", "fold", "snapshots", "disconnected", "personal"},
    "leaked": {"leaked", "revoked"},
    "wrongly counted": {"markers", "unread"},
    "wrongly shown": {"ghosts", "shown"},
    "too late": {"late", "unanswered", "not_recovered", "personal_late", "held_up"},
    "sent away": {"moved"},
    "outgrown": {"outgrown"},
}


def broken(found: Counter[str]) -> dict[str, int]:
    """How often each promise was broken."""
    return {name: sum(found[each] for each in checkers) for name, checkers in PROMISES.items()}


def figures(history: History, findings: Sequence[Finding]) -> str:
    """One paragraph: what was kept, how soon, and what was met on the way."""
    acked = [seconds for seconds, _, kind in answers(history) if kind == "ok"]
    told = [delay.seconds for delay in delays(history)]
    gone = [seconds for _, _, seconds in goings(history) if seconds is not None]
    told_me = [seconds for seconds, _ in personal_delays(history)]
    back = recovery(history)
    ended = endings(history)
    out = [each for ending in ended for each in (ending.closed, ending.barred) if each is not None]
    moved = max(moves(history).values())
    kept = broken(Counter(each.checker for each in findings))
    return (
        f"{len(history.sendings)} sent, {len(acked)} acknowledged, {len(told)} heard; "
        f"{', '.join(f'{number} {promise}' for promise, number in kept.items())}\n"
        f"  ack {spread(acked)}; behind {spread(told)}; "
        f"first ack after the fault {'never' if back is None else f'{back:.2f} s'}\n"
        f"  shown gone {spread(gone)}; {len(told_me)} personal, behind {spread(told_me)}\n"
        f"  {len(ended)} sessions ended, out {spread(out)}\n"
        f"  moved {moved} times at most; met {dict(refusals(history).most_common())}"
    )


def spread(seconds: Sequence[float]) -> str:
    """The median, the 99th of a hundred, and the longest."""
    if len(seconds) < 2:
        return "-"
    cuts = quantiles(seconds, n=100)
    return f"p50 {cuts[49]:.3f} p99 {cuts[98]:.3f} max {max(seconds):.3f} s"


def report(name: str, history: History) -> tuple[str, list[Finding]]:
    """Judge a run; returns what to print, and what is wrong."""
    findings = judge(history)
    wrong = "".join(f"\n  ! {each.checker}: {each.text}" for each in findings[:20])
    return f"{name}: {figures(history, findings)}{wrong}", findings
