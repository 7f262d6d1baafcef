"""Telling who came and who went, as the leases say, and whose custom status is over."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction
from prometheus_client import Counter

from messaging.actions.presence.leases import held_people, see
from messaging.broadcast import publish
from messaging.events import presence
from messaging.models.presence import HIDDEN
from messaging.queries.contacts import hidden_from
from messaging.queries.presence import (
    audiences_of,
    not_online_of,
    online_after,
    presence_rows,
)
from messaging.serializers.presence import presence_json

BATCH: Final = 500
# Longer than any lease: whoever this Redis does not know then, nobody holds.
TRUSTED_SECONDS: Final = 40.0

changes: Final = Counter(
    "parley_presence_changes", "People who came or went, hidden ones included.", ["change"]
)

_CAME: Final = """
INSERT INTO presence (user_id, status, online_since, total_online_seconds, number)
SELECT profile.user_id, 'online', clock_timestamp(), 0, 1
FROM profiles profile LEFT JOIN presence ON presence.user_id = profile.user_id
WHERE profile.user_id = ANY(%s) AND presence.online_since IS NULL AND profile.erased_at IS NULL
ORDER BY profile.user_id
ON CONFLICT (user_id) DO UPDATE SET
    online_since = excluded.online_since, number = presence.number + 1
WHERE presence.online_since IS NULL
RETURNING user_id, status <> ALL(%s)
"""

# Who hides was seen and counted until he hid, and no later.
_WENT: Final = """
WITH online AS (
    SELECT user_id FROM presence WHERE user_id = ANY(%s) AND online_since IS NOT NULL
    ORDER BY user_id FOR UPDATE
)
UPDATE presence SET
    online_since = NULL,
    number = number + 1,
    last_seen = CASE WHEN status = ANY(%s) THEN last_seen ELSE clock_timestamp() END,
    total_online_seconds = total_online_seconds + CASE WHEN status = ANY(%s) THEN 0 ELSE
        greatest(0, extract(epoch FROM clock_timestamp() - online_since)) END
FROM online
WHERE presence.user_id = online.user_id
RETURNING presence.user_id, presence.status <> ALL(%s)
"""

_ENDED: Final = """
WITH ended AS (
    SELECT user_id FROM presence WHERE status_expires_at <= clock_timestamp()
    ORDER BY user_id LIMIT %s FOR UPDATE
)
UPDATE presence SET
    custom_status = NULL, status_emoji = NULL, status_expires_at = NULL, number = number + 1
FROM ended
WHERE presence.user_id = ended.user_id
RETURNING presence.user_id, TRUE
"""


def came(user_ids: Sequence[str]) -> None:
    """These people are here: tell it of those who were not."""
    if user_ids:
        changes.labels("came").inc(_change(_CAME, list(user_ids), list(HIDDEN)))


def went(user_ids: Sequence[str]) -> None:
    """These people are gone: tell it of those who were here."""
    if user_ids:
        changes.labels("went").inc(_change(_WENT, list(user_ids), *3 * [list(HIDDEN)]))


def end_custom_statuses() -> None:
    """Tell of those whose custom status was meant until now that it is over."""
    while _change(_ENDED, BATCH) == BATCH:
        pass


def _change(statement: str, *arguments: list[str] | int) -> int:
    """Write it, and tell of those of whom it can be seen; returns how many changed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            changed = cursor.fetchall()
        shown = [user_id for user_id, is_shown in changed if is_shown]
        rows, audiences = presence_rows(shown), audiences_of(shown)
        hidden = hidden_from(list(audiences))
    publish(
        presence(
            presence_json(row),
            number=row.number,
            rooms=audiences[row.user_id],
            hidden_from=hidden.get(row.user_id, ()),
        )
        for row in rows
        if row.user_id in audiences
    )
    return len(changed)


def settle(user_ids: Iterable[str]) -> set[str]:
    """Tell of these people what the leases say now; returns whom it cannot tell of yet.

    Raises what a store raises that is away; then whoever was not told of is still to be.
    """
    waiting, doubted = sorted(set(user_ids)), set[str]()
    while batch := waiting[:BATCH]:
        doubted |= _settle(batch)
        del waiting[:BATCH]
    return doubted


def _settle(user_ids: Sequence[str]) -> set[str]:
    seen = see(user_ids)
    gone = [user_id for user_id in user_ids if user_id not in seen.held]
    came(sorted(seen.held))
    if not seen.is_calm:
        return set(gone)
    went(gone)
    # Somebody may have come back while it was written that he had gone, or the other way.
    return seen.held ^ see(user_ids).held


def forgotten() -> set[str]:
    """Of whom the two stores say different things: something ended before it was told."""
    found, after, place = set[str](), "", 0
    while online := online_after(after, limit=BATCH):
        seen = see(online)
        if seen.is_calm and seen.seconds > TRUSTED_SECONDS:
            found.update(set(online) - seen.held)
        after = online[-1]
    while held := held_people(place, limit=BATCH):
        found.update(not_online_of(held))
        place += len(held)
    return found
