"""How the profile of somebody who was erased looks."""

from typing import Final

from django.db import connection

from messaging.models.profiles import ERASED_DISPLAY_NAME, ERASED_USERNAME

# What stands in an UPDATE behind SET; its values are ours, so they need no quoting.
NAMELESS: Final = f"""
    username = '{ERASED_USERNAME}', display_name = '{ERASED_DISPLAY_NAME}', avatar = NULL,
    is_active = false, is_findable = false, last_seen_to = 'nobody', read_receipts = false,
    updated_at = clock_timestamp()
"""

_TAKE_AWAY: Final = f"""
UPDATE profiles SET {NAMELESS}
WHERE user_id = %s AND (username, display_name, avatar, is_active)
    IS DISTINCT FROM ('{ERASED_USERNAME}', '{ERASED_DISPLAY_NAME}', NULL, false)
"""  # noqa: S608 - as above, constants alone.


def take_names_away(user_id: str) -> bool:
    """Take away what a version that knows of no erasures has put back; say whether it had."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_AWAY, [user_id])
        return bool(cursor.rowcount)
