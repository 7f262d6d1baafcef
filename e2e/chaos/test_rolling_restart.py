"""Every process of ours is replaced in its turn, and nobody who talks to the gateway minds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from e2e.chaos.crowd import Size
from e2e.chaos.faults.fault import Fault
from e2e.chaos.figures import report
from e2e.chaos.moving import judge_moving
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.history.history import History
from e2e.history.operations import Operation, save
from local.rolling import restart_in_turn
from local.testing import isolated_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.chaos.crowd import Crowd

# Longer than the gateway takes to look again.
LEAVING_SECONDS = "4"


@contextmanager
def replaced(crowd: Crowd) -> Iterator[None]:
    before = {process.pid for process in crowd.stack.servers}
    restart_in_turn(crowd.stack)
    assert before.isdisjoint(process.pid for process in crowd.stack.servers)
    yield


def test_a_rolling_restart_costs_no_send_and_two_moves_at_most(tmp_path: Path) -> None:
    settings = SETTINGS | {"LEAVING_SECONDS": LEAVING_SECONDS}
    with isolated_stack(sockets=3, spare_sockets=3, http_each=2, settings=settings) as stack:
        fault, timing = Fault("rolling restart", replaced), Timing(before=2, after=2)
        history = run(stack, fault, timing, Size(over_http=0.5, visits=False))
    save(history.operations, tmp_path / "history.jsonl")
    text, findings = report("rolling restart", history)
    print(text)
    assert [*findings, *judge_moving(history)] == [], f"{text}\n{tmp_path}"


def said(act: str, kind: str = "ok", **fields: str) -> Operation:
    return Operation(at=0, who="bob", act=act, kind=kind, client_id="one", **fields)  # type: ignore[arg-type]


SENT = [said("send", "invoke", via="http"), said("send", via="http")]


class TestJudging:
    @pytest.mark.parametrize(
        ("operations", "finding"),
        [
            ([said("open")] * 4, "bob moved 3 times"),
            ([said("open", "info", error="1006")], "bob lost its socket: 1006"),
            ([*SENT, said("send", "info", via="http", error="502")], "bob sent over http: 502"),
            (
                [*SENT, said("send", "fail", via="socket", error="unavailable")],
                "bob sent over socket",
            ),
            (SENT[:1], "one was never acknowledged"),
        ],
    )
    def test_finds(self, operations: list[Operation], finding: str) -> None:
        found = judge_moving(History(operations))
        assert [each.text for each in found if each.text.startswith(finding)] != []

    def test_finds_nothing_where_all_is_well(self) -> None:
        away = [said("send", "info", via="socket", error="1012")]
        assert judge_moving(History([said("open")] * 3 + SENT[:1] + away + SENT[1:])) == []
