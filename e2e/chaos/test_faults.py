"""What was promised holds while each fault of the table strikes once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.chaos.faults import FAULTS
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.history.operations import save
from local.testing import isolated_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack

TIMING = Timing(before=3, after=4)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with isolated_stack(sockets=3, http_each=2, settings=SETTINGS) as stack:
        yield stack


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.is_short])
def test_every_promise_is_kept_in_spite_of(name: str, stack: Stack, tmp_path: Path) -> None:
    history = run(stack, FAULTS[name], TIMING)
    save(history.operations, tmp_path / "history.jsonl")
    text, findings = report(name, history)
    print(text)
    assert findings == [], f"{text}\n{tmp_path}"
