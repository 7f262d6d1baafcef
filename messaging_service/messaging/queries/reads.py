"""How far people have read, and what is unread for them."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q, QuerySet

from messaging.errors import NotFound
from messaging.models import Member
from messaging.permissions import LARGEST_ID, member_of
from messaging.queries.rooms import last_messages
from messaging.queries.statements import read_rows
from messaging.queries.unread import unread_counts
from messaging.serializers.messages import message_json
from messaging.serializers.reads import marker_json

_MARKED: Final = """
SELECT me.id, m.id
FROM members me
JOIN members viewer ON viewer.room_id = me.room_id AND viewer.user_id = %s
JOIN messages m ON m.room_id = me.room_id AND m.seq = me.last_read_seq
    AND m.seq >= viewer.visible_from_seq
WHERE me.id = ANY(%s)
"""


def show_unread(*, user_id: str) -> dict[str, Any]:
    """All that is unread for somebody, with the newest message of each of these rooms."""
    counts = unread_counts(user_id=user_id)
    last = last_messages(user_id=user_id, room_ids=list(counts))
    rooms = [
        {
            "room": room_id,
            "unread_count": count,
            "mention_count": 0,
            "last_message": message_json(last[room_id]) if room_id in last else None,
        }
        for room_id, count in counts.items()
    ]
    return {"total": sum(counts.values()), "mentions": 0, "rooms": rooms}


def markers_of(*, user_id: str) -> QuerySet[Member]:
    """Somebody's own markers, to be ordered and paged by the caller."""
    return Member.objects.filter(user_id=user_id, left_pos__isnull=True)


def markers_in(*, user_id: str, room_id: int) -> QuerySet[Member]:
    """The markers of one of the caller's rooms, of all who show theirs; raises NotFound."""
    member_of(user_id=user_id, room_id=room_id)
    return Member.objects.filter(_shown_to(user_id), room_id=room_id, left_pos__isnull=True)


def _shown_to(user_id: str) -> Q:
    return Q(user_id=user_id) | Q(user__read_receipts=True)


def marker_in(*, user_id: str, room_id: int) -> dict[str, Any]:
    """Somebody's own marker in a room; raises NotFound."""
    (shown,) = show_markers([member_of(user_id=user_id, room_id=room_id)], user_id=user_id)
    return shown


def marker_of(*, user_id: str, marker_id: int) -> dict[str, Any]:
    """A marker in one of the caller's rooms, if it is shown; raises NotFound."""
    found = Member.objects.filter(
        _shown_to(user_id),
        pk=min(marker_id, LARGEST_ID),
        left_pos__isnull=True,
        room__members__user_id=user_id,
        room__members__left_pos__isnull=True,
    )
    for shown in show_markers(list(found), user_id=user_id):
        return shown
    raise NotFound("marker")


def show_markers(members: Sequence[Member], *, user_id: str) -> list[dict[str, Any]]:
    """Their JSON as this member of their rooms sees them: one query, however many."""
    messages = dict(read_rows(_MARKED, [user_id, [member.pk for member in members]]))
    return [marker_json(member, message_id=messages.get(member.pk)) for member in members]
