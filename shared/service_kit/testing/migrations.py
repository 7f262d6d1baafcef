"""What a migration may do while the version before it still serves: expand now, contract later.

A migration that takes something away, or goes through the rows there are, says so in a line of its
class, and does nothing else:

    contract = "Nothing reads it since 1.4."
    backfill = "A thousand rows at a time, each thousand in a transaction of its own."
"""

import re
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation

_TABLE = r'(?:IF EXISTS )?(?:ONLY )?(?:"?\w+"?\.)?"?(?P<table>\w+)"?'
_CREATED = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{_TABLE}", re.IGNORECASE)
# Of a column may be dropped what holds up nobody; a dropped default is judged below.
_TAKES_AWAY = re.compile(
    r"\bDROP (?!(?:DEFAULT|NOT NULL|IDENTITY|EXPRESSION)\b)|\bRENAME\b|^TRUNCATE\b|\bDELETE FROM\b",
    re.IGNORECASE,
)
# The last two run what is not seen here, as RunPython does.
_GOES_THROUGH_ROWS = re.compile(
    r'\bUPDATE (?:ONLY )?[\w."]+(?: (?:AS )?\w+)? SET\b|\bMERGE INTO\b|^DO\b|^CALL\b',
    re.IGNORECASE,
)
_SAYS_HOW = "goes through rows that others need: say in `backfill` how it spares them"
# Between a string, the body of a function and a comment, whichever begins first.
_NO_SQL = re.compile(
    r"""\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/""", re.DOTALL
)
# What each would do to whoever works with the table meanwhile.
_ALTERS = {
    rf"ALTER TABLE {_TABLE} ADD COLUMN (?!.* DEFAULT ).* NOT NULL": (
        "adds a column that the version before does not fill: null=True or db_default"
    ),
    rf'ALTER TABLE {_TABLE} ALTER COLUMN "\w+" DROP DEFAULT': (
        "keeps a default in Python only, which the version before does not know: db_default"
    ),
    rf'ALTER TABLE {_TABLE} ALTER COLUMN "\w+" TYPE': "writes the whole table anew, locked",
    rf'ALTER TABLE {_TABLE} ALTER COLUMN "\w+" SET NOT NULL': "reads the whole table, locked",
    rf"ALTER TABLE {_TABLE} ADD CONSTRAINT (?!.*(NOT VALID|USING INDEX))": (
        "reads the whole table, locked: AddConstraintNotValid, then ValidateConstraint"
    ),
    rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?(?:\S+ )??ON {_TABLE}": (
        "holds up every write: AddIndexConcurrently"
    ),
}


def faults_of(app: str, *, after: str) -> list[str]:
    """Judge the migrations of an app that come after this one; needs the database's connection."""
    loader = MigrationLoader(connection, replace_migrations=False)
    names = sorted(name for label, name in loader.graph.nodes if label == app and name > after)
    return [
        f"{name}: {fault}"
        for name in names
        for fault in faults(loader.graph.nodes[app, name], _sql(loader, app, name))
    ]


def faults(migration: Migration, collected: Sequence[str]) -> Iterator[str]:
    """Judge a migration and its SQL, as a schema editor collects it."""
    lines = [line for text in collected for line in _statements(text)]
    created = {found["table"] for line in lines if (found := _CREATED.match(line))}
    is_contract = bool(getattr(migration, "contract", ""))
    is_backfill = bool(getattr(migration, "backfill", ""))
    if _runs_python(migration.operations) and not is_backfill:
        yield f"runs Python, which {_SAYS_HOW}"
    for line in lines:
        if _TAKES_AWAY.search(line):
            if not is_contract:
                yield f"takes away what the version before uses, and is no contract: {line}"
        elif _GOES_THROUGH_ROWS.search(line):
            if not is_backfill:
                yield f"{_SAYS_HOW}: {line}"
        elif is_contract:
            yield f"a contract only takes away: {line}"
        elif is_backfill and not line.upper().startswith("INSERT "):
            yield f"a backfill only goes through rows: {line}"
        else:
            yield from _locks(line, created)


def _sql(loader: MigrationLoader, app: str, name: str) -> Sequence[str]:
    migration = loader.get_migration(app, name)
    state = loader.project_state((app, name), at_end=False)
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    return list(editor.collected_sql)


def _statements(text: str) -> Iterator[str]:
    """Split SQL into statements of one line each, with neither comments nor what is quoted."""
    bare = _NO_SQL.sub(lambda found: "''" if found[0][0] in "$'" else " ", text)
    for statement in bare.split(";"):
        line = " ".join(statement.split())
        # Ends each of Django's own changes to a foreign key.
        if line and not line.startswith("SET CONSTRAINTS"):
            yield line


def _runs_python(operations: Sequence[Operation]) -> bool:
    return any(
        isinstance(each, RunPython) or _runs_python(getattr(each, "database_operations", ()))
        for each in operations
    )


def _locks(line: str, created: set[str]) -> Iterator[str]:
    for pattern, harm in _ALTERS.items():
        found = re.match(pattern, line, re.IGNORECASE)
        if found and found["table"] not in created:
            yield f"{harm}: {line}"
