"""What is kept for good is told from what a system keeps once, when all of it has worked."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import httpx
import pytest
from redis import Redis

from e2e.chaos.usage import measured
from e2e.history.checkers.serving import outgrown
from e2e.history.history import History
from e2e.overload.guests import sign_up_all
from e2e.traces import searched_stack
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.operations import Operation
    from local.stack import Stack

# The first of it goes where hashing passwords has left room.
REQUESTS, KEYS, CONNECTIONS = 160, 60, 10

SIGNED_UP = 12


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with searched_stack(sockets=1) as stack:
        yield stack


def found(before: list[Operation], stack: Stack) -> list[str]:
    history = History([*before, *measured(stack, "after")])
    return [finding.text for finding in outgrown(history)]


def ask_for_keys(stack: Stack) -> None:
    for _ in range(REQUESTS):
        httpx.get(f"{stack.address}/.well-known/jwks.json").raise_for_status()


def test_what_a_system_has_never_done_before_is_no_leak(stack: Stack) -> None:
    before = measured(stack, "before")
    asyncio.run(sign_up_all(stack.address, ["somebody"] * SIGNED_UP))
    assert found(before, stack) == []


def test_what_is_kept_of_every_request_is_found(stack: Stack) -> None:
    process = stack.process("auth_service")
    wrapped = [
        "e2e.sabotage.hoarding" if each == "config.wsgi" else each for each in process.command
    ]
    path = f"{process.environment['PYTHONPATH']}:{ROOT}"
    process.command, process.environment = wrapped, {**process.environment, "PYTHONPATH": path}
    stack.restart(process.name)
    before = measured(stack, "before")
    ask_for_keys(stack)
    (text,) = found(before, stack)
    assert text.startswith("auth_service takes ")
    assert "kilobytes" in text


def test_keys_and_connections_that_stay_are_found(stack: Stack) -> None:
    before = measured(stack, "before")
    with Redis.from_url(stack.redis.url) as redis, ExitStack() as kept:
        redis.mset({f"forgotten:{number}": 1 for number in range(KEYS)})
        for _ in range(CONNECTIONS):
            kept.enter_context(closing(stack.postgres.connect("messaging")))
        parts = {text.split(" takes ")[0] for text in found(before, stack)}
    assert parts == {"redis", "postgres"}
