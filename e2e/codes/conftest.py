"""A system of its own, whose sockets' tokens are short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Person
    from local.stack import Stack

# So that sockets are told soon that theirs ends; and some send more at once than people do.
SETTINGS: Final = {"ACCESS_TOKEN_SECONDS": "62", "LIMIT_MESSAGE_BURST": "1400"}


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with searched_stack(settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def room(alice: Person, bob: Person) -> int:
    return alice.opens_room_with(bob)
