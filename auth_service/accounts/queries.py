"""Reads that answer with more than one person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Lower

from accounts.models import User
from accounts.permissions import read_id

# text_pattern_ops orders by bytes, whatever the database's language: `~>~` and `USING ~<~` are
# its operators, so one index finds the names and keeps them in order.
SEARCH = """
SELECT id, username, display_name
FROM accounts_user
WHERE is_active
  AND (lower(username) LIKE lower(%(pattern)s) OR lower(display_name) LIKE lower(%(pattern)s))
  AND (%(edge)s IS NULL OR lower(username) {beyond} lower(%(edge)s))
ORDER BY lower(username) USING {order}
LIMIT %(limit)s
"""
FORWARDS = SEARCH.format(beyond="~>~", order="~<~")
BACKWARDS = SEARCH.format(beyond="~<~", order="~>~")


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: after a username, or before it."""

    username: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Mapping[str, Any]]
    next: Edge | None
    previous: Edge | None


def search_users(*, prefix: str, size: int, edge: Edge | None = None) -> Page:
    """Return active people whose username or display name begins so, by username."""
    backwards = edge is not None and edge.backwards
    found = _search(prefix, size + 1, edge)
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (backwards or more)
    has_previous = bool(rows) and (more if backwards else edge is not None)
    return Page(
        rows=rows,
        next=Edge(rows[-1]["username"]) if has_next else None,
        previous=Edge(rows[0]["username"], backwards=True) if has_previous else None,
    )


def _search(prefix: str, limit: int, edge: Edge | None) -> list[dict[str, Any]]:
    values = {
        "pattern": connection.ops.prep_for_like_query(prefix) + "%",
        "edge": edge.username if edge else None,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(BACKWARDS if edge and edge.backwards else FORWARDS, values)
        return [
            {"id": user_id, "username": username, "display_name": display_name}
            for user_id, username, display_name in cursor.fetchall()
        ]


def users_with_ids(ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Return people by id, inactive ones too; what cannot be an id is nobody."""
    numbers = [number for number in map(read_id, ids) if number is not None]
    return _rows(User.objects.filter(pk__in=numbers))


def users_with_usernames(usernames: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Return people by username in any case, inactive ones too."""
    wanted = [Lower(Value(username)) for username in usernames]
    return _rows(User.objects.alias(key=Lower("username")).filter(key__in=wanted))


def _rows(people: Any) -> Sequence[Mapping[str, Any]]:
    return list(people.order_by("pk").values("id", "username", "display_name", "is_active"))
