"""A client that is gone without a word: nobody's kernel says so, in either direction."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from e2e.chaos.faults.fault import ImpossibleError
from e2e.chaos.listening import hears_that, listens_over
from e2e.chaos.wire import Wire
from e2e.people import Person
from e2e.proxy import Proxy
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

# Instead of the 15 that services have: so all of it is over sooner by as much.
PING_SECONDS, USUAL_PING_SECONDS = 2.0, 15.0
GONE_SECONDS = 45.0 - 2 * (USUAL_PING_SECONDS - PING_SECONDS)
SENDS = 5


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run one that asks sooner whether anybody is there."""
    with searched_stack() as stack:
        for process in stack.socket_processes:
            command = list(process.command)
            for option in ("--ws-ping-interval", "--ws-ping-timeout"):
                command[command.index(option) + 1] = str(PING_SECONDS)
            process.command = command
            stack.restart(process.name)
        yield stack


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    try:
        with Wire() as wire:
            yield wire
    except ImpossibleError as error:
        pytest.skip(str(error))


def test_is_shown_gone_and_comes_back_without_a_gap(stack: Stack, wire: Wire) -> None:
    with (
        Person.signs_up(stack.address, "a") as alice,
        Person.signs_up(stack.address, "b") as bob,
        closing(Proxy(stack.port, listens_on=wire.here)) as far,
    ):
        room = alice.opens_room_with(bob)
        with bob.listens(room) as ear, listens_over(wire, far, alice, room) as gone:
            hears_that(ear, alice, "online", within=GONE_SECONDS)
            position = gone.ready["rooms"][0]["pos"]
            wire.cut()
            gone.says(type="message", content="Can you hear me?", ref="lost")
            sent = [bob.sends(room, "Are you there?")["seq"] for _ in range(SENDS)]
            hears_that(ear, alice, "offline", within=GONE_SECONDS)
            wire.mend()
        with listens_over(wire, far, alice, room) as back:
            back.says(type="sync", after=position, ref="sync")
            missed = [back.hears_first("message") for _ in range(SENDS)]
            assert [message["seq"] for message in missed] == sent == [1, 2, 3, 4, 5]
            assert back.hears_first("synced")["complete"]
        # What was said into the void came to nobody.
        assert [row["seq"] for row in bob.history(room)] == sent
