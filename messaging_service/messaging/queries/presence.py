"""How people are, as those who share a room or a contact with them see it.

Who blocks somebody, and whom somebody blocks, is not shown to him.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

from messaging.models import LastSeenTo, Member, Profile
from messaging.permissions.contacts import ARE_CONTACTS
from messaging.permissions.large_rooms import PRESENCE_UP_TO
from messaging.permissions.membership import SHARE_A_ROOM
from messaging.permissions.privacy import contacts_among
from messaging.queries.contacts import apart_from, contact_ids_of, kept_apart
from messaging.queries.statements import read_rows
from messaging.serializers.presence import PRESENCE_COLUMNS, PresenceRow, presence_json

_ROWS: Final = f"""
SELECT {PRESENCE_COLUMNS}
FROM profiles profile LEFT JOIN presence ON presence.user_id = profile.user_id
WHERE profile.user_id = ANY(%s) ORDER BY profile.user_id
"""

_SHOWN: Final = f"""
SELECT {PRESENCE_COLUMNS}
FROM profiles profile LEFT JOIN presence ON presence.user_id = profile.user_id
WHERE profile.user_id = ANY(%(user_ids)s) AND (profile.user_id = %(viewer_id)s
    OR {SHARE_A_ROOM.format(one="%(viewer_id)s", other="profile.user_id")}
    OR {ARE_CONTACTS.format(one="profile.user_id", other="%(viewer_id)s")})
ORDER BY profile.user_id
"""

_PARTICIPANTS: Final = f"""
SELECT small.room_id, {PRESENCE_COLUMNS}
FROM (
    SELECT room_id FROM unnest(%(room_ids)s::bigint[]) AS asked(room_id)
    WHERE %(most)s >= (SELECT count(*) FROM (
        SELECT FROM members other
        WHERE other.room_id = asked.room_id AND other.left_pos IS NULL LIMIT %(most)s + 1
    ) AS few)
) AS small
JOIN members member ON member.room_id = small.room_id AND member.left_pos IS NULL
JOIN profiles profile ON profile.user_id = member.user_id
LEFT JOIN presence ON presence.user_id = member.user_id
ORDER BY member.id
"""

_AUDIENCES: Final = """
WITH theirs AS (
    SELECT user_id, room_id FROM members WHERE user_id = ANY(%s) AND left_pos IS NULL
), small AS (
    SELECT room.room_id FROM (SELECT DISTINCT room_id FROM theirs) AS room
    WHERE (SELECT count(*) FROM (
        SELECT FROM members other
        WHERE other.room_id = room.room_id AND other.left_pos IS NULL LIMIT %s) AS few) <= %s
)
SELECT user_id, array_agg(room.id), array_agg(room.pos)
FROM theirs JOIN small USING (room_id) JOIN rooms room ON room.id = room_id GROUP BY user_id
"""

_NOT_ONLINE: Final = """
SELECT profile.user_id
FROM profiles profile LEFT JOIN presence ON presence.user_id = profile.user_id
WHERE profile.user_id = ANY(%s) AND presence.online_since IS NULL
"""

_ONLINE: Final = """
SELECT user_id FROM presence WHERE online_since IS NOT NULL AND user_id > %s
ORDER BY user_id LIMIT %s
"""


def shown_presence(*, viewer_id: str, user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Of these people himself and those he may see, in the order of their ids."""
    rows = read_rows(_SHOWN, {"user_ids": list(user_ids), "viewer_id": viewer_id})
    return show_to(viewer_id, [PresenceRow(*row) for row in rows])


def participants_of(room_ids: Iterable[int]) -> dict[int, list[PresenceRow]]:
    """Everybody in each of these rooms, with what was told of him; no room of over 500 people."""
    found: dict[int, list[PresenceRow]] = defaultdict(list)
    asked = {"room_ids": list(room_ids), "most": PRESENCE_UP_TO}
    for room_id, *row in read_rows(_PARTICIPANTS, asked):
        found[room_id].append(PresenceRow(*row))
    return found


def show_to(viewer_id: str, rows: Iterable[PresenceRow]) -> list[dict[str, Any]]:
    """Those of these people whom he sees, of those near him; himself as he chose to be."""
    (shown,) = show_to_each([(viewer_id, rows)])
    return shown


def show_to_each(
    asked: Iterable[tuple[str, Iterable[PresenceRow]]],
) -> list[list[dict[str, Any]]]:
    """The same for several people, who each look at some: two queries at most."""
    looks = [(viewer_id, list(rows)) for viewer_id, rows in asked]
    pairs = {
        (viewer_id, row.user_id): row.last_seen_to
        for viewer_id, rows in looks
        for row in rows
        if row.user_id != viewer_id
    }
    contacts = contacts_among({pair for pair, to in pairs.items() if to == LastSeenTo.CONTACTS})
    apart = kept_apart(pairs)
    return [
        [
            presence_json(
                row,
                is_own=row.user_id == viewer_id,
                is_contact=(viewer_id, row.user_id) in contacts,
            )
            for row in rows
            if (viewer_id, row.user_id) not in apart
        ]
        for viewer_id, rows in looks
    ]


def people_near(*, viewer_id: str) -> QuerySet[Profile]:
    """The others whom he may see, to be ordered and paged by the caller."""
    mine = Member.objects.filter(user_id=viewer_id, left_pos__isnull=True).values("room_id")
    shared = Member.objects.filter(left_pos__isnull=True, room_id__in=mine).values("user_id")
    contacts = contact_ids_of(user_id=viewer_id)
    apart = apart_from(user_id=viewer_id)
    return Profile.objects.filter(pk__in=shared.union(*contacts)).exclude(
        Q(pk=viewer_id) | Q(pk__in=apart[0]) | Q(pk__in=apart[1])
    )


def presence_rows(user_ids: Sequence[str]) -> list[PresenceRow]:
    """What was told of these people, whoever asks."""
    return [PresenceRow(*row) for row in read_rows(_ROWS, [list(user_ids)])] if user_ids else []


def audiences_of(user_ids: Sequence[str]) -> dict[str, dict[int, int]]:
    """The rooms in which each of these people is told of, with their positions; if in any."""
    if not user_ids:
        return {}
    limits = [PRESENCE_UP_TO + 1, PRESENCE_UP_TO]
    found = read_rows(_AUDIENCES, [list(user_ids), *limits])
    return {user_id: dict(zip(ids, poss, strict=True)) for user_id, ids, poss in found}


def online_after(user_id: str, *, limit: int) -> list[str]:
    """Who was told to be online, a page after this person; empty at the end."""
    return [found for (found,) in read_rows(_ONLINE, [user_id, limit])]


def not_online_of(user_ids: Sequence[str]) -> list[str]:
    """Who of these people was not told to be online."""
    return [found for (found,) in read_rows(_NOT_ONLINE, [list(user_ids)])]
