"""What a migration may do while the version before it still serves: expand now, contract later.

A migration that takes something away says so in a line of its class,
`contract = "Nothing reads it since 1.4."`, and does nothing else.
"""

import re
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

_TABLE = r'(?:ONLY )?"?(?P<table>\w+)"?'
_CREATED = re.compile(rf"CREATE TABLE {_TABLE}")
_TAKES_AWAY = re.compile(r"\b(DROP TABLE|DROP COLUMN|RENAME|TRUNCATE|DELETE FROM)\b")
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
    rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON {_TABLE}": (
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


def faults(migration: Migration, statements: Sequence[str]) -> Iterator[str]:
    """Judge the SQL of a migration."""
    created = {found["table"] for line in statements if (found := _CREATED.match(line))}
    is_contract = bool(getattr(migration, "contract", ""))
    for line in statements:
        if _TAKES_AWAY.search(line):
            if not is_contract:
                yield f"takes away what the version before uses, and is no contract: {line}"
        elif is_contract:
            yield f"a contract only takes away: {line}"
        else:
            yield from _locks(line, created)


def _sql(loader: MigrationLoader, app: str, name: str) -> Sequence[str]:
    migration = loader.get_migration(app, name)
    state = loader.project_state((app, name), at_end=False)
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    return [line for line in editor.collected_sql if not line.startswith("--")]


def _locks(line: str, created: set[str]) -> Iterator[str]:
    for pattern, harm in _ALTERS.items():
        if (found := re.match(pattern, line)) and found["table"] not in created:
            yield f"{harm}: {line}"
