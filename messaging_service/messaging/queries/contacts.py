"""Who somebody's contacts are, who asked whom, and whom he blocks."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Greatest, Least

from messaging.models import Block, Contact
from messaging.permissions.membership import SHARE_A_ROOM
from messaging.queries.statements import read_rows
from messaging.serializers.contacts import INCOMING, OUTGOING

# Of people, one by one.
Ids = QuerySet[Any, Any]
CURRENT: Final = (Contact.State.PENDING, Contact.State.ACCEPTED)
_SIDES: Final = {OUTGOING: "requester", INCOMING: "addressee"}

_KEPT_APART: Final = """
SELECT blocker_id, blocked_id FROM blocks
WHERE NOT is_lifted AND blocker_id = ANY(%(some)s) AND blocked_id = ANY(%(others)s)
UNION
SELECT blocked_id, blocker_id FROM blocks
WHERE NOT is_lifted AND blocked_id = ANY(%(some)s) AND blocker_id = ANY(%(others)s)
"""


# Only those who might be told of him: whoever is blocked by many shares few rooms with them.
_HIDDEN_FROM: Final = f"""
SELECT apart.user_id, array_agg(apart.other_id)
FROM (
    SELECT blocker_id, blocked_id FROM blocks WHERE NOT is_lifted AND blocker_id = ANY(%(ids)s)
    UNION
    SELECT blocked_id, blocker_id FROM blocks WHERE NOT is_lifted AND blocked_id = ANY(%(ids)s)
) AS apart (user_id, other_id)
WHERE {SHARE_A_ROOM.format(one="apart.user_id", other="apart.other_id")}
GROUP BY apart.user_id
"""


_ELSEWHERE: Final = f"""
SELECT tied.user_id
FROM (
    SELECT addressee_id FROM contacts
    WHERE requester_id = %(user_id)s AND state = ANY(%(current)s)
    UNION
    SELECT requester_id FROM contacts
    WHERE addressee_id = %(user_id)s AND state = ANY(%(current)s)
) AS tied (user_id)
WHERE NOT {SHARE_A_ROOM.format(one="%(user_id)s", other="tied.user_id")}
"""


def contact_between(one: str, other: str) -> Contact | None:
    """What there is between two people, in whatever state, with both."""
    low, high = Least("requester_id", "addressee_id"), Greatest("requester_id", "addressee_id")
    found = Contact.objects.select_related("requester", "addressee").alias(low=low, high=high)
    pair = Value(one), Value(other)
    return found.filter(low=Least(*pair), high=Greatest(*pair)).first()


def contacts_of(
    *, user_id: str, state: str | None = None, direction: str | None = None
) -> QuerySet[Contact]:
    """Somebody's contacts and requests that are not over, to be ordered and paged by the caller."""
    mine = Q(requester=user_id) | Q(addressee=user_id)
    if direction is not None:
        mine = Q(**{_SIDES[direction]: user_id})
    found = Contact.objects.select_related("requester", "addressee")
    return found.filter(mine, state__in=[state] if state else CURRENT)


def contacts_elsewhere(*, user_id: str) -> list[str]:
    """Who is his contact, asked him or was asked by him, and is in no room with him."""
    asked = {"user_id": user_id, "current": [state.value for state in CURRENT]}
    return [found for (found,) in read_rows(_ELSEWHERE, asked)]


def contact_ids_of(*, user_id: str) -> tuple[Ids, Ids]:
    """Who has accepted him, and whom he has accepted."""
    accepted = Contact.objects.filter(state=Contact.State.ACCEPTED)
    asked, askers = accepted.filter(requester=user_id), accepted.filter(addressee=user_id)
    return asked.values("addressee_id"), askers.values("requester_id")


def apart_from(*, user_id: str) -> tuple[Ids, Ids]:
    """Whom he blocks, and who blocks him."""
    blocks = Block.objects.filter(is_lifted=False)
    mine, his = blocks.filter(blocker=user_id), blocks.filter(blocked=user_id)
    return mine.values("blocked_id"), his.values("blocker_id")


def blocks_of(*, user_id: str) -> QuerySet[Block]:
    """The blocks somebody has made, to be ordered and paged by the caller."""
    return Block.objects.select_related("blocked").filter(blocker=user_id, is_lifted=False)


def kept_apart(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the pairs of whom one blocks the other, and perhaps others; one query at most."""
    if not pairs:
        return set()
    some, others = zip(*pairs, strict=True)
    asked = {"some": list(set(some)), "others": list(set(others))}
    return {(one, other) for one, other in read_rows(_KEPT_APART, asked)}


def hidden_from(user_ids: Sequence[str]) -> dict[str, list[str]]:
    """By each of these people who shares a room with him and is kept apart from him, if anybody."""
    return dict(read_rows(_HIDDEN_FROM, {"ids": list(user_ids)})) if user_ids else {}
