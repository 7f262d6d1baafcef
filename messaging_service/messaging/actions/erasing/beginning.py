"""What happens at once when auth_service tells that somebody is no more."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from messaging.actions.erasing.following import wake
from messaging.actions.erasing.names import NAMELESS
from messaging.actions.profiles import tell_names
from messaging.models.profiles import ERASED_DISPLAY_NAME, ERASED_USERNAME
from messaging.queries.auth_events import UserErased

# Somebody never seen has a row from then on, too: a token of his that comes late finds it. One
# statement, as with everything that is told; profiles are locked in the order of their ids.
_BEGIN: Final = f"""
WITH told AS (
    SELECT user_id, min(at) AS at
    FROM unnest(%s::text[], %s::timestamptz[]) AS told (user_id, at) GROUP BY user_id
), nameless AS (
    INSERT INTO profiles AS person
        (user_id, username, display_name, is_active, is_findable, last_seen_to, read_receipts,
        erased_at, pos, updated_at)
    SELECT user_id, '{ERASED_USERNAME}', '{ERASED_DISPLAY_NAME}', false, false, 'nobody', false,
        at, 0, clock_timestamp()
    FROM told ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET {NAMELESS}, erased_at = excluded.erased_at
    WHERE person.erased_at IS NULL
)
INSERT INTO erasures (user_id, at, due_at)
SELECT user_id, at, clock_timestamp() FROM told ORDER BY user_id
ON CONFLICT (user_id) DO NOTHING
RETURNING user_id
"""  # noqa: S608 - made of constants alone.


def begin_erasures(told: Sequence[UserErased]) -> None:
    """Take the names away of these people, and have the rest go; doing it again changes nothing."""
    if not told:
        return
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [[each.user_id for each in told], [each.at for each in told]])
        begun = [user_id for (user_id,) in cursor.fetchall()]
    for user_id in begun:
        tell_names(user_id)
    wake()
