"""The same crowd and the same checkers, with a system that breaks one of its promises.

Each file beside this one is the ASGI application with one thing wrong; the socket processes run
that instead. A checker that stays silent here proves nothing where it stays silent elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.chaos.crowd import QUIET_ROOMS, Size
from e2e.chaos.faults import FAULTS
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.traces import searched_stack
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with searched_stack(sockets=3, http_each=2, settings=SETTINGS) as stack:
        yield stack


def sabotage(stack: Stack, name: str) -> None:
    """Let its socket processes serve another application from here on."""
    for process in stack.socket_processes:
        wrapped, path = f"e2e.sabotage.{name}:application", process.environment["PYTHONPATH"]
        process.command = [
            wrapped if word.endswith(":application") else word for word in process.command
        ]
        process.environment = {**process.environment, "PYTHONPATH": f"{path}:{ROOT}"}
        stack.restart(process.name)


# What is broken meanwhile, by whom it is used for how many seconds before, and who notices it.
# Over HTTP nothing is sabotaged, and two ways of numbering would never be done with each other.
OVER_SOCKETS = Size(over_http=0)
SABOTAGES = {
    "early_ack": ("postgres killed", OVER_SOCKETS, 3, {"lost"}),
    "sequence": ("nothing", OVER_SOCKETS, 3, {"dense", "missed"}),
    "group_only": ("nothing", OVER_SOCKETS, 6, {"leaked"}),
    "still_in": ("gateway killed", OVER_SOCKETS, 7, {"revoked"}),
    # A busy room's next message would give a lost one away.
    "lost_publishes": ("nothing", QUIET_ROOMS, 12, {"missed", "late"}),
    # Keeps for good what should be there once: so it comes last.
    "no_unique_key": ("gateway killed", OVER_SOCKETS, 3, {"doubled"}),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_is_caught(stack: Stack, name: str) -> None:
    fault, size, seconds, caught_by = SABOTAGES[name]
    sabotage(stack, name)
    history = run(stack, FAULTS[fault], Timing(before=seconds, after=3), size)
    text, findings = report(name, history)
    print(text)
    assert caught_by & {finding.checker for finding in findings}
