"""Every process is replaced by one of the next version, and nobody who talks to us minds."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.chaos.crowd import Size
from e2e.chaos.faults.fault import Fault
from e2e.chaos.figures import report
from e2e.chaos.moving import judge_moving
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.history.history import Bounds, History
from e2e.history.operations import Operation, save
from e2e.traces import searched_stack
from local.rolling import upgrade
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.chaos.crowd import Crowd

# Longer than the gateway takes to look again.
LEAVING_SECONDS = "4"
BOUNDS = Bounds(moves=2)


NEXT_MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "{newest}")]
    operations = [
        migrations.AddField("message", "mood", models.CharField(max_length=20, db_default="")),
        AddIndexConcurrently("message", models.Index(fields=["mood"], name="messages_by_mood")),
    ]
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """The same with one more column, which the version of now does not know."""
    folder = tmp_path / "next"
    for part in ("auth_service", "messaging_service", "shared"):
        leave_out = shutil.ignore_patterns("tests", "__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=leave_out)
    migrations = folder / "messaging_service" / "messaging" / "migrations"
    newest = max(file.stem for file in migrations.glob("0*.py"))
    (migrations / "9999_mood.py").write_text(NEXT_MIGRATION.format(newest=newest))
    return folder


def test_an_upgrade_costs_no_send_and_two_moves_at_most(tmp_path: Path, next_version: Path) -> None:
    @contextmanager
    def upgraded(crowd: Crowd) -> Iterator[None]:
        upgrade(crowd.stack, next_version)
        yield

    settings = SETTINGS | {"LEAVING_SECONDS": LEAVING_SECONDS}
    with searched_stack(sockets=3, spare_sockets=3, http_each=2, settings=settings) as stack:
        fault, timing = Fault("upgrade", upgraded, bounds=BOUNDS), Timing(before=2, after=2)
        history = run(stack, fault, timing, Size(over_http=0.5, visits=False))
        folders = {Path(f"/proc/{process.pid}/cwd").readlink() for process in stack.servers}
        with closing(stack.postgres.connect("messaging")) as link, link.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM messages WHERE mood = ''")
            written = cursor.fetchall()[0][0]
    save(history.operations, tmp_path / "history.jsonl")
    text, findings = report("upgrade", history)
    print(text)
    # Other processes than before: what these take is not what those had grown to.
    wrong = [each for each in findings if each.checker != "outgrown"]
    assert [*wrong, *judge_moving(history)] == [], f"{text}\n{tmp_path}"
    assert {folder.parent for folder in folders} == {next_version}
    assert written == len(history.sendings)


def said(act: str, kind: str = "ok", **fields: str) -> Operation:
    return Operation(at=0, who="bob", act=act, kind=kind, client_id="one", **fields)  # type: ignore[arg-type]


SENT = [said("send", "invoke", via="http"), said("send", via="http")]


class TestJudging:
    @pytest.mark.parametrize(
        ("operations", "finding"),
        [
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
