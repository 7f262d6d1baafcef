"""What a member may do with messages: one pure function for each act, fed with rows."""

from typing import Final, Protocol

from django.db import connection

from messaging.errors import NotAllowed, NotFound
from messaging.serializers.fields import LARGEST_ID
from messaging.serializers.messages import MESSAGE_COLUMNS, MessageRow
from service_kit.refusals import Refusal

_VISIBLE: Final = f"""
SELECT {MESSAGE_COLUMNS}
FROM messages m
JOIN profiles p ON p.user_id = m.sender_id
JOIN members me ON me.room_id = m.room_id AND me.user_id = %s AND me.left_pos IS NULL
    AND m.seq >= me.visible_from_seq
WHERE m.id = ANY(%s)
ORDER BY m.id
"""


class Membership(Protocol):
    """What a policy needs to know of a member; rows of the ORM and of raw SQL both have it."""

    @property
    def left_pos(self) -> int | None: ...


def refusal_to_send(member: Membership | None) -> Refusal | None:
    """Why this member may not send to the room now, or None; strangers learn nothing."""
    if member is None or member.left_pos is not None:
        return NotFound("room")
    return None


def refusal_to_change(*, sender_id: str, user_id: str) -> Refusal | None:
    """Why this member may not edit or delete the message he sees, or None."""
    if sender_id != user_id:
        return NotAllowed("Only who sent a message may change it.")
    return None


def messages_of(*, user_id: str, ids: list[int]) -> list[MessageRow]:
    """Those of these messages that the caller may see, in the order of their ids."""
    asked = [id_ for id_ in ids if 0 < id_ <= LARGEST_ID]
    with connection.cursor() as cursor:
        cursor.execute(_VISIBLE, [user_id, asked])
        return [MessageRow(*row) for row in cursor.fetchall()]


def message_of(*, user_id: str, message_id: int, room_id: int | None = None) -> MessageRow:
    """A message the caller may see, of this room if one is named; raises NotFound."""
    for row in messages_of(user_id=user_id, ids=[message_id]):
        if room_id in {None, row.room_id}:
            return row
    raise NotFound("message")
