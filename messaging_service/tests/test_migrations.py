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

    def run(*operations: object, contract: str = "", backfill: str = "") -> list[str]:
        loader = MigrationLoader(connection)
        migration = migrations.Migration("made_up", "messaging")
        migration.operations = operations
        migration.atomic = False
        migration.contract, migration.backfill = contract, backfill
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            migration.apply(loader.project_state(), editor, collect_sql=True)
        return list(faults(migration, editor.collected_sql))

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
    "what is written in lower case, below a comment": migrations.RunSQL(
        "-- It doesn't say which.\nselect 1;\n create index\n on messages (seq);"
    ),
}
CONTRACTS = (
    migrations.RemoveField("message", "edited_at"),
    migrations.DeleteModel("Epoch"),
    migrations.RenameField("message", "edited_at", "changed_at"),
    migrations.RunSQL("DELETE FROM messages"),
    migrations.RemoveIndex("message", "message_by_pos"),
    migrations.RunSQL("ALTER TABLE messages DROP CONSTRAINT made_up"),
    migrations.RunSQL("/* late */ drop index concurrently made_up;"),
)
FINE_SQL = (
    "ALTER TABLE messages ALTER COLUMN content DROP NOT NULL",
    "COMMENT ON TABLE messages IS 'UPDATE messages SET a = 1; DROP TABLE messages'",
    "CREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM rooms; END $$",
    "CREATE TRIGGER b BEFORE UPDATE OR TRUNCATE ON messages EXECUTE FUNCTION a()",
    "INSERT INTO epoch VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1",
)
BACKFILLS = (
    migrations.RunPython(migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState([migrations.RunPython(migrations.RunPython.noop)]),
    migrations.RunSQL("UPDATE messages SET content = ''"),
    migrations.RunSQL('with a as (select 1) update only "messages" as m set content = 1'),
    migrations.RunSQL("DO $$ BEGIN UPDATE messages SET content = 1; END $$"),
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

    @pytest.mark.parametrize("statements", FINE_SQL)
    def test_takes_nothing_for_what_it_only_mentions(self, judge: Judge, statements: str) -> None:
        assert judge(migrations.RunSQL(statements)) == []

    @pytest.mark.parametrize("operation", BACKFILLS)
    def test_lets_nothing_go_through_rows_without_saying_how(
        self, judge: Judge, operation: object
    ) -> None:
        (fault,) = judge(operation)
        assert "`backfill`" in fault
        assert judge(operation, backfill="A thousand rows at a time.") == []

    def test_lets_a_backfill_do_nothing_else(self, judge: Judge) -> None:
        (fault,) = judge(FINE[0], backfill="A thousand rows at a time.")
        assert fault.startswith("a backfill only goes through rows")
