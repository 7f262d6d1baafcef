"""One whole system for all journeys, on free ports, with the accounts of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.people import Person
from local import demo
from local.testing import isolated_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks for traces of all the others comes last."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    # Some journeys send more at once than people do.
    with isolated_stack(settings={"LIMIT_MESSAGE_BURST": "1000"}) as stack:
        demo.ensure_accounts(stack.port)
        yield stack


@pytest.fixture
def alice(stack: Stack) -> Iterator[Person]:
    """Somebody new, who has just signed up. So is bob: no journey meets another's people."""
    with Person.signs_up(stack.address, "alice") as person:
        yield person


@pytest.fixture
def bob(stack: Stack) -> Iterator[Person]:
    with Person.signs_up(stack.address, "bob") as person:
        yield person


@pytest.fixture
def carol(stack: Stack) -> Iterator[Person]:
    with Person.signs_up(stack.address, "carol") as person:
        yield person
