"""What must not be is found in what was measured."""

from __future__ import annotations

import pytest

from e2e.overload.abuses import ABUSES
from e2e.overload.figures import PAUSE_MS, UNNOTICED_MS, slowed, unmet
from e2e.overload.run import Outcome


def outcome(*, quiet_ms: float = 100.0, loud_ms: float = 100.0) -> Outcome:
    """A run in which everything took so long."""
    made = Outcome(phases={"before": (0.0, 10.0), "during": (10.0, 20.0), "after": (20.0, 30.0)})
    begun = {str(n): n / 10 for n in range(300)}
    ended = {
        name: at + (loud_ms if 10 <= at < 20 else quiet_ms) / 1000 for name, at in begun.items()
    }
    made.talk = {"sent": begun, "acked": dict(ended), "heard": dict(ended)}
    made.talk |= {"asked": begun, "read": dict(ended)}
    made.met = {kind: dict.fromkeys(abuse.meets, 1) for kind, abuse in ABUSES.items()}
    made.used = {when: {("traefik", "files"): 1000} for when in ("before", "during", "after")}
    return made


def test_nothing_is_found_where_all_is_well() -> None:
    run = outcome()
    assert (slowed(run), unmet(run), run.grown()) == ([], [], [])


def test_twice_as_long_is_allowed_and_more_is_not() -> None:
    assert slowed(outcome(loud_ms=199.0)) == []
    assert len(slowed(outcome(loud_ms=201.0))) == 6
    assert len(slowed(outcome(quiet_ms=20.0, loud_ms=41.0))) == 3


def test_what_nobody_notices_is_allowed() -> None:
    assert slowed(outcome(quiet_ms=1.0, loud_ms=UNNOTICED_MS - 1)) == []


def test_one_slow_moment_of_three_is_the_machines() -> None:
    run = outcome(quiet_ms=10.0, loud_ms=15.0)
    for slow in ("acked", "heard", "read"):
        run.talk[slow]["150"] += (PAUSE_MS - 20) / 1000
    assert slowed(run) == []


@pytest.mark.parametrize("ends", ["acked", "heard", "read"])
def test_what_never_comes_is_slow(ends: str) -> None:
    run = outcome()
    for name in ("150", "151"):
        del run.talk[ends][name]
    assert len(slowed(run)) == 1


@pytest.mark.parametrize("kind", ABUSES)
def test_an_abuse_without_its_limit_is_found(kind: str) -> None:
    run = outcome()
    run.met[kind] = {"sockets": 1}
    assert len(unmet(run)) == 1


def test_what_is_not_given_back_is_found() -> None:
    run = outcome()
    run.used["after"]["traefik", "files"] = 1101
    assert run.grown() == ["traefik: 1101 files, there were 1000"]
