"""What others may know of somebody, as he allows it."""

from collections.abc import Collection
from typing import Final

from django.db import connection

from messaging.models import Profile
from messaging.permissions.contacts import ARE_CONTACTS
from messaging.permissions.membership import SHARE_A_ROOM

_PAIRS: Final = """
SELECT requester_id, addressee_id FROM contacts
WHERE state = 'accepted' AND requester_id = ANY(%(one)s) AND addressee_id = ANY(%(other)s)
UNION ALL
SELECT addressee_id, requester_id FROM contacts
WHERE state = 'accepted' AND addressee_id = ANY(%(one)s) AND requester_id = ANY(%(other)s)
"""

# Whom a stranger does not find, one finds with whom one shares a room, a contact, and who has asked
# oneself.
_FOUND: Final = f"""
SELECT person.user_id FROM profiles person
WHERE person.user_id = ANY(%(user_ids)s) AND (
    person.is_findable OR person.user_id = %(viewer_id)s
    OR {ARE_CONTACTS.format(one="person.user_id", other="%(viewer_id)s")}
    OR EXISTS (
        SELECT FROM contacts asked
        WHERE asked.requester_id = person.user_id AND asked.addressee_id = %(viewer_id)s
            AND asked.state = 'pending')
    OR {SHARE_A_ROOM.format(one="%(viewer_id)s", other="person.user_id")})
"""


def contacts_among(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the pairs who are contacts, and perhaps others; one query at most."""
    if not pairs:
        return set()
    one, other = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"one": list(set(one)), "other": list(set(other))})
        return set(cursor.fetchall())


def found_by(viewer_id: str, people: Collection[Profile]) -> set[str]:
    """The ids of those of these people whom somebody may find."""
    hidden = [person.user_id for person in people if not person.is_findable]
    found = {person.user_id for person in people} - set(hidden)
    if hidden:
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, {"user_ids": hidden, "viewer_id": viewer_id})
            found.update(user_id for (user_id,) in cursor.fetchall())
    return found
