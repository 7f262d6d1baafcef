"""A thousand idle sockets and fifty who abuse everything there is: others hardly notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.overload.figures import MOST_OTHERS, figures, others, slowed, unmet
from e2e.overload.guests import SETTINGS, cast, everybody
from e2e.overload.run import run
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.overload.run import Outcome


@pytest.fixture(scope="module")
def outcome() -> Iterator[Outcome]:
    with searched_stack(settings=SETTINGS) as stack:
        outcome = run(stack, cast(stack, everybody()))
        print(figures(outcome))
        yield outcome


def test_nothing_goes_wrong_for_a_normal_user(outcome: Outcome) -> None:
    talk = outcome.talk
    assert talk["wrong"] == []
    assert talk["sent"].keys() == talk["acked"].keys() == talk["heard"].keys()


def test_every_abuse_meets_its_limit(outcome: Outcome) -> None:
    assert outcome.met.keys() == everybody().keys()
    require_none(unmet(outcome), outcome)


def test_a_normal_user_waits_at_most_twice_as_long(outcome: Outcome) -> None:
    if not outcome.is_first:
        pytest.skip("Without the right to real-time priority abusers take the processors away.")
    require_none(slowed(outcome), outcome)


def require_none(wrong: list[str], outcome: Outcome) -> None:
    """Abusers stand back behind everybody, and whoever else works makes everybody wait."""
    if wrong and others(outcome) > MOST_OTHERS:
        pytest.skip(f"Others took {others(outcome):.2f} of the machine's cores: {wrong}")
    assert wrong == []


def test_everything_is_given_back(outcome: Outcome) -> None:
    assert outcome.grown() == []
