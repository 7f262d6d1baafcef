"""Reading with SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def read_rows(
    statement: str, arguments: Sequence[Any] | Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
