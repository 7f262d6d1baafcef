"""What was promised holds while each fault of the table strikes once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from e2e.chaos.faults import SHORT
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.history.checkers import judge
from e2e.history.operations import save
from e2e.people import Person
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack

TIMING = Timing(before=3, after=3)
UNACKNOWLEDGED = "a process dies before its acks"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # Its bounds are seconds, and a disk that is shared may stand still for as long.
    with searched_stack(sockets=3, http_each=2, in_memory=True, settings=SETTINGS) as stack:
        yield stack


@pytest.mark.parametrize("name", [name for name in SHORT if name != UNACKNOWLEDGED])
def test_every_promise_is_kept_in_spite_of(name: str, stack: Stack, tmp_path: Path) -> None:
    history = run(stack, SHORT[name], TIMING)
    save(history.operations, tmp_path / "history.jsonl")
    text, findings = report(name, history)
    print(text)
    assert findings == [], f"{text}\n{tmp_path}"


def test_what_was_committed_and_not_acknowledged_is_told_to_be_there(stack: Stack) -> None:
    history = run(stack, SHORT[UNACKNOWLEDGED], TIMING)
    assert judge(history) == []
    assert any(each.duplicate for each in history.of("send", "ok"))


def test_nobody_is_refused_any_more_once_postgres_is_back(stack: Stack) -> None:
    with Person.signs_up(stack.address, "alice") as alice, ThreadPoolExecutor(16) as together:

        def ask(path: str) -> int:
            bearer = {"Authorization": f"Bearer {alice.access}"}
            return httpx.get(f"{stack.address}{path}", headers=bearer, timeout=10).status_code

        paths = ["/api/chat/rooms/", "/api/auth/me/"] * 40
        assert {*together.map(ask, paths)} == {200}
        stack.restart("postgres")
        assert {*together.map(ask, paths)} == {200}
