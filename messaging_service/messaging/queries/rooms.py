"""Rooms as one of their members sees them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest, Least

from messaging.errors import NotFound
from messaging.models import Member, Room
from messaging.queries.statements import read_rows
from messaging.queries.unread import unread_counts
from messaging.serializers.messages import MESSAGE_COLUMNS, MessageRow
from messaging.serializers.rooms import (
    PARTICIPANT_COLUMNS,
    SHOWN_PARTICIPANTS,
    ParticipantRow,
    room_json,
    viewer_json,
)

_LAST_MESSAGES: Final = f"""
SELECT {MESSAGE_COLUMNS}
FROM members me
JOIN rooms room ON room.id = me.room_id
JOIN messages m ON m.room_id = room.id AND m.seq = room.seq AND m.seq >= me.visible_from_seq
JOIN profiles p ON p.user_id = m.sender_id
WHERE me.user_id = %s AND me.room_id = ANY(%s)
"""

# However many are in a room: the first of them, and the viewer wherever he stands.
_PARTICIPANTS: Final = f"""
SELECT {PARTICIPANT_COLUMNS}
FROM (
    SELECT *, count(*) OVER (PARTITION BY room_id) AS participants_count,
        row_number() OVER (PARTITION BY room_id ORDER BY id) AS place
    FROM members WHERE room_id = ANY(%s) AND left_pos IS NULL
) AS m
JOIN profiles p ON p.user_id = m.user_id
WHERE m.place <= {SHOWN_PARTICIPANTS} OR m.user_id = %s
ORDER BY m.room_id, m.id
"""


def rooms_of(*, user_id: str) -> QuerySet[Room]:
    """The rooms this person is in, to be ordered and paged by the caller."""
    return Room.objects.filter(members__user_id=user_id, members__left_pos__isnull=True)


def rooms_opened_by(*, user_id: str) -> int:
    """How many of the rooms this person is in he opened himself."""
    return rooms_of(user_id=user_id).filter(created_by=user_id).count()


def has_at_most(most: int, *, room_id: int) -> bool:
    """Whether a room has no more members than that; costs no more than counting so many."""
    current = Member.objects.filter(room_id=room_id, left_pos__isnull=True)
    return len(current.values_list("pk", flat=True)[: most + 1]) <= most


def direct_rooms_of(pair: tuple[str, str]) -> QuerySet[Room]:
    """The one direct room of two people, named in either order, if there is one."""
    low, high = Least("participant_a", "participant_b"), Greatest("participant_a", "participant_b")
    one, other = (Value(user_id) for user_id in pair)
    return Room.objects.alias(low=low, high=high).filter(
        room_type=Room.Type.DIRECT, low=Least(one, other), high=Greatest(one, other)
    )


def show_rooms(rooms: Sequence[Room], *, user_id: str) -> list[dict[str, Any]]:
    """The rooms' JSON as this member sees them: three queries, however many rooms.

    What he was removed from meanwhile is left out.
    """
    ids = [room.pk for room in rooms]
    participants = _participants(ids, viewer_id=user_id)
    last = last_messages(user_id=user_id, room_ids=ids)
    unread = unread_counts(user_id=user_id, room_ids=ids)
    mine = {id_: row for id_ in ids for row in participants[id_] if row.user_id == user_id}
    return [
        room_json(
            room,
            participants=participants[room.pk],
            last_message=last.get(room.pk),
            viewer_id=user_id,
        )
        | viewer_json(mine[room.pk], unread_count=unread.get(room.pk, 0))
        for room in rooms
        if room.pk in mine
    ]


def last_messages(*, user_id: str, room_ids: Sequence[int]) -> dict[int, MessageRow]:
    """By room the newest message, where this member may see it."""
    return {
        row[1]: MessageRow(*row) for row in read_rows(_LAST_MESSAGES, [user_id, list(room_ids)])
    }


def show_room(room: Room, *, user_id: str) -> dict[str, Any]:
    """One room's JSON as this member sees it; raises NotFound for who is none."""
    for shown in show_rooms([room], user_id=user_id):
        return shown
    raise NotFound("room")


def show_rooms_to_anybody(rooms: Sequence[Room]) -> list[dict[str, Any]]:
    """The rooms' JSON as events tell it: nothing in it depends on who looks."""
    participants = _participants([room.pk for room in rooms])
    return [
        room_json(room, participants=participants[room.pk], last_message=None) for room in rooms
    ]


def _participants(
    room_ids: Sequence[int], *, viewer_id: str = ""
) -> dict[int, list[ParticipantRow]]:
    found: dict[int, list[ParticipantRow]] = defaultdict(list)
    for row in map(ParticipantRow._make, read_rows(_PARTICIPANTS, [list(room_ids), viewer_id])):
        found[row.room_id].append(row)
    return found
