"""How soon everybody is served, while something is broken and afterwards."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

from e2e.history.history import SECOND, Finding, History

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = ("send", "edit", "delete", "mark")
# Of a wait, in seconds.
NOTICED = 0.1


def unanswered(history: History) -> Iterator[Finding]:
    """Each send that was answered at all was answered within the bound.

    A machine that is slow before anything is broken is given as much more.
    """
    bound = history.bounds.answer + _longest_before(history)
    for seconds, client_id, kind in answers(history):
        if kind != "info" and seconds > bound:
            yield Finding("unanswered", f"{client_id} was answered ({kind}) after {seconds:.1f} s")


def held_up(history: History) -> Iterator[Finding]:
    """While somebody holds one room, messages to the others are acknowledged about as before."""
    held = {each.room for each in history.of("phase") if each.event == "hold"}
    if held:
        injected, healed = history.phases["inject"], history.phases["heal"]
        before = _slowest(history, held, 0, injected)
        meanwhile = _slowest(history, held, injected, healed)
        if meanwhile > max(2 * before, before + NOTICED):
            told = f"{meanwhile:.2f} s, it was {before:.2f} s"
            yield Finding("held_up", f"the slowest of a second to other rooms: {told}")


def _slowest(history: History, held: set[int], since: int, until: int) -> float:
    """How many seconds the slowest message of those begun in a second took, as a rule.

    In one of the seconds a disk may stand still, which holds up everybody.
    """
    slowest: dict[int, float] = defaultdict(float)
    for sending in history.sendings.values():
        at, room = sending.first.at, sending.first.room
        if since <= at < until and room not in held:
            took = (sending.ok.at - at) / SECOND if sending.ok else math.inf
            slowest[at // SECOND] = max(slowest[at // SECOND], took)
    return median(slowest.values()) if slowest else 0.0


def answers(history: History) -> list[tuple[float, str, str]]:
    """How long each attempt to send took, whose it was, and what came of it."""
    asked: dict[tuple[str, str], int] = {}
    found: list[tuple[float, str, str]] = []
    for each in history.of("send"):
        key = each.who, each.client_id
        if each.kind == "invoke":
            asked[key] = each.at
        elif key in asked:
            found.append(((each.at - asked.pop(key)) / SECOND, each.client_id, each.kind))
    return found


def _longest_before(history: History) -> float:
    injected = history.phases.get("inject", 0)
    before = History(each for each in history.of("send") if each.at < injected)
    return max((seconds for seconds, _, kind in answers(before) if kind == "ok"), default=0.0)


def not_recovered(history: History) -> Iterator[Finding]:
    """Soon after the fault is over, sends are acknowledged again."""
    seconds = recovery(history)
    if "heal" in history.phases and (seconds is None or seconds > history.bounds.recovery):
        told = "nothing" if seconds is None else f"the first only {seconds:.1f} s"
        yield Finding("not_recovered", f"{told} after the fault was acknowledged")


def recovery(history: History) -> float | None:
    """How many seconds after the fault the first send was acknowledged that was begun then."""
    healed = history.phases.get("heal")
    if healed is None:
        return None
    first = next((each.at for each in history.of("send", "ok") if each.at > healed), None)
    return None if first is None else (first - healed) / SECOND


def refusals(history: History) -> Counter[str]:
    """How often each error was met."""
    acts = (*ASKED, "read", "open", "dial")
    failed = (each for act in acts for each in history.of(act, "fail", "info"))
    return Counter(f"{each.act} {each.error or 'unknown'}" for each in failed)


def outgrown(history: History) -> Iterator[Finding]:
    """What a part of the system takes afterwards is about what it took before."""
    usage: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for each in history.of("usage"):
        usage[each.who, each.event][each.via] = each.seq
    for (who, what), taken in usage.items():
        if {"before", "after"} <= taken.keys():
            most = taken["before"] * (1 + history.bounds.share) + SPARE.get(what, 0)
            if taken["after"] > most:
                told = f"{taken['after']} {what}, it was {taken['before']}"
                yield Finding("outgrown", f"{who} takes {told}")


# What varies without being a leak: in the units of what is counted.
SPARE = {"kilobytes": 20_000, "files": 10, "threads": 5, "connections": 5, "keys": 20}
