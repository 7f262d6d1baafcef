"""Migrations can run while the version before them still serves."""

from collections.abc import Callable

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from service_kit.testing.migrations import faults, faults_of

# Until a first release nobody upgrades: what is older may do as it likes.
UNRELEASED = "0006_ended_sessions"


@pytest.mark.usefixtures("_database")
def test_none_harms_the_version_before() -> None:
    assert faults_of("messaging", after=UNRELEASED) == []


Judge = Callable[..., list[str]]


@pytest.fixture
def judge(_database: None) -> Judge:
    """Judge made-up operations on the newest tables."""

    def run(*operations: object, contract: str = "") -> list[str]:
        loader = MigrationLoader(connection)
        migration = migrations.Migration("made_up", "messaging")
        migration.operations = operations
        migration.atomic = False
        migration.contract = contract
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            migration.apply(loader.project_state(), editor, collect_sql=True)
        lines = [line for line in editor.collected_sql if not line.startswith("--")]
        return list(faults(migration, lines))

    return run


SHORT = {"max_length": 20}
INDEX = models.Index(fields=["timestamp"], name="made_up")
FINE = (
    migrations.AddField("message", "a", models.CharField(null=True, **SHORT)),
    migrations.AddField("message", "b", models.CharField(db_default="", **SHORT)),
    AddIndexConcurrently("message", INDEX),
    migrations.CreateModel("new", [("id", models.AutoField(primary_key=True))]),
    migrations.AddIndex("new", models.Index(fields=["id"], name="made_up_too")),
)
HARMFUL = {
    "a column that nobody fills": migrations.AddField(
        "message", "a", models.CharField(default="", **SHORT)
    ),
    "an index that locks": migrations.AddIndex("message", INDEX),
    "another type": migrations.AlterField("message", "content", models.CharField(**SHORT)),
    "a constraint that is read at once": migrations.AddConstraint(
        "message",
        models.CheckConstraint(condition=models.Q(seq__gt=0), name="made_up"),
    ),
    "not null": migrations.AlterField("message", "edited_at", models.DateTimeField()),
}
CONTRACTS = (
    migrations.RemoveField("message", "edited_at"),
    migrations.DeleteModel("Epoch"),
    migrations.RenameField("message", "edited_at", "changed_at"),
    migrations.RunSQL("DELETE FROM messages"),
)


class TestJudging:
    @pytest.mark.parametrize("operation", FINE[:3])
    def test_lets_through_what_only_adds(self, judge: Judge, operation: object) -> None:
        assert judge(operation) == []

    def test_lets_through_anything_on_a_new_table(self, judge: Judge) -> None:
        assert judge(*FINE[3:]) == []

    @pytest.mark.parametrize("what", HARMFUL)
    def test_finds(self, judge: Judge, what: str) -> None:
        assert judge(HARMFUL[what]) != []

    @pytest.mark.parametrize("operation", CONTRACTS)
    def test_lets_nothing_be_taken_away_without_saying_so(
        self, judge: Judge, operation: object
    ) -> None:
        (fault,) = judge(operation)
        assert "no contract" in fault
        assert judge(operation, contract="Nothing uses it since 1.4.") == []

    def test_lets_a_contract_do_nothing_else(self, judge: Judge) -> None:
        (fault,) = judge(FINE[0], contract="Nothing uses it since 1.4.")
        assert fault.startswith("a contract only takes away")
