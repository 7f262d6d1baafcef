"""The same crowd and the same checkers, with a system that breaks one of its promises.

Each file beside this one is the ASGI application with one thing wrong; the socket processes run
that instead. A checker that stays silent here proves nothing where it stays silent elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from e2e.chaos.crowd import QUIET_ROOMS, Size
from e2e.chaos.faults import FAULTS
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from local.services import ROOT
from local.testing import isolated_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

OURS = "config.asgi:application"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with isolated_stack(sockets=3, http_each=2, settings=SETTINGS) as stack:
        yield stack


@contextmanager
def sabotaged(stack: Stack, name: str) -> Iterator[None]:
    """Its socket processes serve another application meanwhile."""
    before = {each.name: (each.command, each.environment) for each in stack.socket_processes}
    for process in stack.socket_processes:
        wrapped = f"e2e.sabotage.{name}:application"
        process.command = [wrapped if word == OURS else word for word in process.command]
        path = f"{process.environment['PYTHONPATH']}:{ROOT}"
        process.environment = {**process.environment, "PYTHONPATH": path}
        stack.restart(process.name)
    try:
        yield
    finally:
        for process in stack.socket_processes:
            process.command, process.environment = before[process.name]
            stack.restart(process.name)


# Over HTTP nothing is sabotaged, and two ways of numbering would never be done with each other.
OVER_SOCKETS = Size(over_http=0)
SABOTAGES = {
    "early_ack": ("postgres killed", OVER_SOCKETS, {"lost"}),
    "sequence": ("nothing", OVER_SOCKETS, {"dense", "missed"}),
    "group_only": ("nothing", OVER_SOCKETS, {"leaked"}),
    # A busy room's next message would give a lost one away.
    "lost_publishes": ("nothing", QUIET_ROOMS, {"missed", "late"}),
    # Keeps for good what should be there once: so it comes last.
    "no_unique_key": ("gateway killed", OVER_SOCKETS, {"doubled"}),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_is_caught(stack: Stack, name: str) -> None:
    fault, size, caught_by = SABOTAGES[name]
    with sabotaged(stack, name):
        history = run(stack, FAULTS[fault], Timing(before=10), size)
    text, findings = report(name, history)
    print(text)
    assert caught_by & {finding.checker for finding in findings}
