"""A quiet time, an abuse of every kind at once, and what is left of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from e2e.chaos.usage import usage
from e2e.overload.clients import Clients
from e2e.overload.machine import busy_seconds, put_first, spent_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.overload.guests import Cast
    from local.stack import Stack

Used = dict[tuple[str, str], int]

LOOK_SECONDS = 1.0
# Beside what differs from moment to moment: connections between the gateway and the services are
# kept for a while, a thread keeps its connection to Postgres from its first question on, and a
# program's memory has holes.
NEARLY = 1.1
A_FEW = {"kilobytes": 8 * 1024, "files": 8, "threads": 8, "connections": 16, "keys": 10}
# Go gives memory back late: until then there may be as much to collect as is used.
COLLECTED_LATE = {("traefik", "kilobytes"): 1.5}


@dataclass(frozen=True)
class Timing:
    """Seconds. What is made once, for the first abuse of a kind, is made in `warm_up`."""

    settle: float = 2.0
    warm_up: float = 2.0
    before: float = 9.0
    during: float = 15.0
    after: float = 6.0
    at_most: float = 60.0


@dataclass
class Outcome:
    """Everything that was measured; a phase is from a moment to another of the monotonic clock.

    `cores` says for each phase how many of the machine's each part took; `is_first` whether the
    system and who talks had them before everybody else.
    """

    phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    cores: dict[str, dict[str, float]] = field(default_factory=dict)
    talk: dict[str, Any] = field(default_factory=dict)
    met: dict[str, dict[str, int]] = field(default_factory=dict)
    used: dict[str, Used] = field(default_factory=dict)
    back_after: float = 0.0
    is_first: bool = False

    def grown(self) -> list[str]:
        """What was not given back."""
        return grown(self.used["before"], self.used["after"])


def run(stack: Stack, who: Cast, timing: Timing | None = None) -> Outcome:
    """Only from the main thread: it starts processes."""
    timing, outcome = timing or Timing(), Outcome()
    with Clients("load", who.idle) as idle, Clients("talk", who.talk) as talk:
        quiet = [idle, talk]
        time.sleep(timing.settle)
        pids = [talk.pid, *(process.pid for process in stack.processes)]
        outcome.is_first = put_first(pids)
        with Clients("load", who.abuse):
            time.sleep(timing.warm_up)
        time.sleep(timing.settle)
        with _phase(outcome, "before", stack, quiet):
            time.sleep(timing.before)
        with Clients("load", who.abuse) as abuse:
            time.sleep(timing.settle)
            with _phase(outcome, "during", stack, [*quiet, abuse]):
                time.sleep(timing.during)
        outcome.met = abuse.told
        ended = time.monotonic()
        time.sleep(timing.settle)
        with _phase(outcome, "after", stack, quiet):
            time.sleep(timing.after)
        _wait_until_back(outcome, stack, ended, timing.at_most)
    outcome.talk = talk.told
    return outcome


def grown(before: Used, after: Used) -> list[str]:
    """What there is clearly more of."""
    return [
        f"{part}: {after[part, what]} {what}, there were {number}"
        for (part, what), number in before.items()
        if after[part, what] > number + max(number * (_factor(part, what) - 1), A_FEW[what])
    ]


def _factor(part: str, what: str) -> float:
    return COLLECTED_LATE.get((part, what), NEARLY)


def _wait_until_back(outcome: Outcome, stack: Stack, ended: float, at_most: float) -> None:
    """Look until everything is given back, or for as long as that may take."""
    while outcome.grown() and time.monotonic() < ended + at_most:
        time.sleep(LOOK_SECONDS)
        outcome.used["after"] = _used(stack)
    outcome.back_after = time.monotonic() - ended


@contextmanager
def _phase(outcome: Outcome, name: str, stack: Stack, clients: list[Clients]) -> Iterator[None]:
    began, busy, spent = time.monotonic(), busy_seconds(), _spent(stack, clients)
    yield
    outcome.phases[name] = began, time.monotonic()
    seconds = time.monotonic() - began
    took = {part: each - spent[part] for part, each in _spent(stack, clients).items()}
    took["others"] = max(0.0, busy_seconds() - busy - sum(took.values()))
    outcome.cores[name] = {part: each / seconds for part, each in took.items()}
    outcome.used[name] = _used(stack)


def _spent(stack: Stack, clients: list[Clients]) -> dict[str, float]:
    servers = {process.name: spent_seconds(process.pid) for process in stack.processes}
    return servers | {"clients": sum(spent_seconds(each.pid) for each in clients)}


def _used(stack: Stack) -> Used:
    return {(part, what): number for part, what, number in usage(stack)}
