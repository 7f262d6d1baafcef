"""Reads that answer with more than one row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Count, Min, Q, Value
from django.db.models.functions import Lower

from accounts.models import Event, Mail, Session, User
from accounts.permissions import live_sessions, read_id, read_uuid

EVENTS_PER_PAGE = 500

# Of those whose display name begins so, the first by that name: what is asked of them is in the
# order of usernames, which no index brings them in.
MOST_BY_DISPLAY_NAME = 1_000

# text_pattern_ops orders by bytes, whatever the database's language: `~>~` and `USING ~<~` are
# its operators, so each index finds the names and keeps them in order.
SEARCH = """
WITH findable AS NOT MATERIALIZED (
    SELECT id, username, display_name, avatar FROM accounts_user
    WHERE is_active AND (find_me = 'everyone' OR id = %(by)s)
), named AS (
    SELECT * FROM findable
    WHERE lower(username) LIKE lower(%(pattern)s)
        AND (%(edge)s IS NULL OR lower(username) {beyond} lower(%(edge)s))
    ORDER BY lower(username) USING {order} LIMIT %(limit)s
), displayed AS (
    SELECT * FROM findable
    WHERE lower(display_name) LIKE lower(%(pattern)s)
    ORDER BY lower(display_name) USING ~<~ LIMIT %(most)s
)
SELECT * FROM (
    SELECT * FROM named
    UNION
    SELECT * FROM displayed WHERE %(edge)s IS NULL OR lower(username) {beyond} lower(%(edge)s)
) AS found
ORDER BY lower(username) USING {order} LIMIT %(limit)s
"""
FORWARDS = SEARCH.format(beyond="~>~", order="~<~")
BACKWARDS = SEARCH.format(beyond="~<~", order="~>~")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: after the row with this key, or before it."""

    key: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    next: Edge | None
    previous: Edge | None


def search_users(*, prefix: str, by: User, size: int, edge: Edge | None = None) -> Page[User]:
    """Return whom `by` may find whose username or display name begins so, by username.

    For a display name that begins as those of very many, the first thousand of them.
    """
    found = _search(prefix, by, size + 1, edge)
    return _page(found, size, edge, lambda user: user.username)


def sessions_of(*, user: User, size: int, edge: Edge | None = None) -> Page[Session]:
    """Return the sessions a person can go on with, the newest first."""
    backwards = edge is not None and edge.backwards
    found = live_sessions(user=user)
    if edge is not None:
        found = found.filter(_beyond(edge, user))
    found = found.order_by(*(("created_at", "pk") if backwards else ("-created_at", "-pk")))
    return _page(list(found[: size + 1]), size, edge, lambda session: session.pk.hex)


def _beyond(edge: Edge, user: User) -> Q:
    # Sessions that have ended are kept, so whatever was on a page is found.
    sid = read_uuid(edge.key)
    at = Session.objects.filter(pk=sid, user=user).first() if sid else None
    if at is None:
        return Q(pk__in=())
    if edge.backwards:
        return Q(created_at__gt=at.created_at) | Q(created_at=at.created_at, pk__gt=at.pk)
    return Q(created_at__lt=at.created_at) | Q(created_at=at.created_at, pk__lt=at.pk)


def _page(found: list[Row], size: int, edge: Edge | None, key: Callable[[Row], str]) -> Page[Row]:
    """Make a page of the rows beyond its edge, of which one more was asked for."""
    backwards = edge is not None and edge.backwards
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (backwards or more)
    has_previous = bool(rows) and (more if backwards else edge is not None)
    return Page(
        rows=rows,
        next=Edge(key(rows[-1])) if has_next else None,
        previous=Edge(key(rows[0]), backwards=True) if has_previous else None,
    )


def _search(prefix: str, by: User, limit: int, edge: Edge | None) -> list[User]:
    values = {
        "by": by.pk,
        "pattern": connection.ops.prep_for_like_query(prefix) + "%",
        "edge": edge.key if edge else None,
        "limit": limit,
        "most": MOST_BY_DISPLAY_NAME,
    }
    return list(User.objects.raw(BACKWARDS if edge and edge.backwards else FORWARDS, values))


def users_with_ids(ids: Sequence[str]) -> Sequence[User]:
    """Return people by id, inactive ones too; what cannot be an id is nobody."""
    numbers = [number for number in map(read_id, ids) if number is not None]
    return list(User.objects.filter(pk__in=numbers).order_by("pk"))


def users_with_usernames(usernames: Sequence[str]) -> Sequence[User]:
    """Return people by username in any case, inactive ones too."""
    wanted = [Lower(Value(username)) for username in usernames]
    people = User.objects.alias(key=Lower("username")).filter(key__in=wanted)
    return list(people.order_by("pk"))


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in their order, the people whose change some of them tell, and whether more follow."""

    events: Sequence[Event]
    people: Mapping[str, User]
    more: bool


def events_after(number: int) -> EventPage:
    found = list(Event.objects.filter(pk__gt=number).order_by("pk")[: EVENTS_PER_PAGE + 1])
    events = found[:EVENTS_PER_PAGE]
    changed = {event.data["user_id"] for event in events if event.type == "user.changed"}
    people = {str(user.pk): user for user in users_with_ids(list(changed))} if changed else {}
    return EventPage(events, people, more=len(found) > EVENTS_PER_PAGE)


def waiting_mails() -> tuple[int, datetime | None]:
    """Return how many mails are still to be sent, and when the oldest was written."""
    found = Mail.objects.aggregate(number=Count("pk"), oldest=Min("created_at"))
    return found["number"], found["oldest"]
