"""What auth_service tells is applied once, whole pages at a time, by whichever process is first."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection
from prometheus_client import Counter, Gauge

from messaging.actions.erasing import begin_erasures
from messaging.actions.profiles import tell_names
from messaging.queries.auth_events import (
    AuthEvent,
    SessionsEnded,
    UserChanged,
    UserErased,
    auth_events,
)
from messaging.queries.ended_sessions import heard_so_far

logger: Final = logging.getLogger(__name__)

# All or nothing, in one statement: a process that is stopped half-way holds no lock. Only who moves
# the cursor from where it read it applies anything. Profiles are locked in the order of their ids.
# Who was never here is kept where a token, which is all he would be known by, does not say it all.
_APPLY: Final = """
WITH feed AS (
    UPDATE auth_feed SET cursor = %(cursor)s, mark = %(mark)s, number = number + 1
    WHERE (cursor, mark) = (%(from_cursor)s, %(from_mark)s)
    RETURNING number
), people AS (
    SELECT person.* FROM feed, unnest(
        %(user_ids)s::text[], %(usernames)s::text[], %(display_names)s::text[], %(avatars)s::text[],
        %(active)s::bool[], %(ats)s::timestamptz[],
        %(findable)s::bool[], %(last_seen_to)s::text[], %(read_receipts)s::bool[]
    ) AS person (user_id, username, display_name, avatar, is_active, at,
        is_findable, last_seen_to, read_receipts)
), ended AS (
    INSERT INTO ended_sessions (session_id, user_id, until, number)
    SELECT told.session_id, told.user_id, told.until, feed.number
    FROM feed, unnest(%(session_ids)s::text[], %(owners)s::text[], %(untils)s::timestamptz[])
        AS told (session_id, user_id, until)
    ON CONFLICT (session_id) DO UPDATE
    SET until = greatest(ended_sessions.until, excluded.until), number = excluded.number
), held AS (
    SELECT person.* FROM profiles person, feed WHERE person.user_id = ANY(%(user_ids)s::text[])
    ORDER BY person.user_id FOR NO KEY UPDATE OF person
), told AS (
    SELECT people.*, held.named_at IS NULL OR held.named_at <= people.at AS is_newer
    FROM held JOIN people USING (user_id)
), changed AS (
    UPDATE profiles person
    SET username = CASE WHEN is_newer THEN told.username ELSE person.username END,
        display_name = CASE WHEN is_newer THEN told.display_name ELSE person.display_name END,
        avatar = told.avatar, is_active = told.is_active, is_findable = told.is_findable,
        last_seen_to = told.last_seen_to, read_receipts = told.read_receipts,
        named_at = greatest(person.named_at, told.at), updated_at = clock_timestamp()
    FROM told JOIN held USING (user_id)
    WHERE person.user_id = held.user_id AND held.erased_at IS NULL
    RETURNING person.user_id, (person.username, person.display_name, person.avatar)
        IS DISTINCT FROM (held.username, held.display_name, held.avatar) AS is_seen
), met AS (
    INSERT INTO profiles AS person (user_id, username, display_name, avatar, is_active, is_findable,
        last_seen_to, read_receipts, named_at, pos, updated_at)
    SELECT user_id, username, display_name, avatar, is_active, is_findable,
        last_seen_to, read_receipts, at, 0, clock_timestamp()
    FROM people
    WHERE is_active AND (avatar IS NOT NULL
            OR NOT is_findable OR last_seen_to <> 'everyone' OR NOT read_receipts)
        AND NOT EXISTS (SELECT FROM held WHERE held.user_id = people.user_id)
    ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE
    SET avatar = excluded.avatar, is_findable = excluded.is_findable,
        last_seen_to = excluded.last_seen_to, read_receipts = excluded.read_receipts
    WHERE person.erased_at IS NULL
)
SELECT (SELECT number FROM feed), (SELECT array_agg(user_id) FROM changed WHERE is_seen)
"""

# What auth_service has forgotten with its last events, it has forgotten of accounts, too. Who is
# deactivated is told again, from the first event on. Who was erased stays so.
_START_OVER: Final = """
WITH feed AS (
    UPDATE auth_feed SET cursor = 0, mark = '' WHERE (cursor, mark) = (%s, %s) RETURNING 1
)
UPDATE profiles SET is_active = true FROM feed WHERE NOT is_active AND erased_at IS NULL
"""

_FORGET: Final = "DELETE FROM ended_sessions WHERE until < clock_timestamp() - %s * interval '1 s'"

_cursor: Final = Gauge("parley_auth_events_cursor", "The last event of auth_service applied.")
_ended: Final = Counter("parley_sessions_ended_total", "Sessions ended, by who applied it.")
_changed: Final = Counter("parley_people_changed_total", "Profile changes, by who applied them.")
_restarts: Final = Counter(
    "parley_auth_events_restarts_total", "Times auth_service's events were another story."
)


def pull() -> None:
    """Apply what auth_service has told since; raises what it, or Postgres, fails with.

    What was applied by then stays so; nothing is applied of a page that is not sound.
    """
    while not _pull():
        pass


def forget_ended(*, seconds: float) -> None:
    """Forget sessions of which no token can be valid for so long."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [seconds])


def _pull() -> bool:
    """Apply page after page; False: something else has moved the cursor, so begin again."""
    cursor, mark = heard_so_far()
    # The last one applied is asked for again: an auth_service that went back has another there.
    page = auth_events(after=max(0, cursor - 1))
    if cursor and [(each.number, each.mark) for each in page.events[:1]] != [(cursor, mark)]:
        _start_over(cursor, mark)
        return False
    while True:
        new = [each for each in page.events if each.number > cursor]
        if new and not _apply(new, cursor, mark):
            return False
        cursor, mark = new[-1][:2] if new else (cursor, mark)
        _cursor.set(cursor)
        if not page.more:
            return True
        page = auth_events(after=page.events[-1].number)


def _start_over(cursor: int, mark: str) -> None:
    logger.warning("auth_service tells another story: all its events are read again.")
    _restarts.inc()
    with connection.cursor() as statement:
        statement.execute(_START_OVER, [cursor, mark])


def _apply(events: Sequence[AuthEvent], cursor: int, mark: str) -> bool:
    """Do nothing where another process was quicker, and say so."""
    told = [event.told for event in events]
    ended = _by_session(each for each in told if isinstance(each, SessionsEnded))
    people = {each.user_id: each for each in told if isinstance(each, UserChanged)}
    # Before the cursor moves: whoever is stopped in between is told again.
    begin_erasures([each for each in told if isinstance(each, UserErased)])
    with connection.cursor() as statement:
        statement.execute(
            _APPLY,
            {
                "from_cursor": cursor,
                "from_mark": mark,
                "cursor": events[-1].number,
                "mark": events[-1].mark,
                **_columns(("session_ids", "owners", "untils"), ended),
                **_columns(
                    ("user_ids", "usernames", "display_names", "avatars", "active", "ats"),
                    list(people.values()),
                ),
                **_columns(
                    ("findable", "last_seen_to", "read_receipts"),
                    [person.privacy for person in people.values()],
                ),
            },
        )
        number, seen = statement.fetchone()
    if number is None:
        return False
    _ended.inc(len(ended))
    _changed.inc(len(people))
    for user_id in seen or []:
        tell_names(user_id)
    return True


def _by_session(told: Iterable[SessionsEnded]) -> list[tuple[str, str, datetime]]:
    """Each session once: a statement may not store a row twice."""
    rows: dict[str, tuple[str, str, datetime]] = {}
    for each in told:
        for session_id in each.session_ids:
            until = max(each.until, rows[session_id][2]) if session_id in rows else each.until
            rows[session_id] = session_id, each.user_id, until
    return list(rows.values())


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[number] for row in rows] for number, name in enumerate(names)}
