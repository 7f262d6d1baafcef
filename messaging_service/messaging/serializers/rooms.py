"""A room as it is asked for and as its members see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from rest_framework import serializers

from messaging.models import Room
from messaging.serializers.fields import UserIdField
from messaging.serializers.messages import MessageRow, message_json
from messaging.serializers.profiles import profile_json
from service_kit.rendering import timestamp

SHOWN_PARTICIPANTS: Final = 20
LONGEST_USERNAME: Final = 64


class RoomInput(serializers.Serializer[Any]):
    """The body of `POST rooms/`: a direct room, asked for in any of three ways.

    `{"participant_a", "participant_b"}`, `{"room_type": "direct", "participants": [one]}` or
    `{"username"}`.
    """

    room_type = serializers.ChoiceField(Room.Type.choices, default=Room.Type.DIRECT)
    participant_a = UserIdField(required=False)
    participant_b = UserIdField(required=False)
    participants = serializers.ListField(
        child=UserIdField(), min_length=1, max_length=1, required=False
    )
    username = serializers.CharField(max_length=LONGEST_USERNAME, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        pair = ("participant_a" in attrs, "participant_b" in attrs)
        forms = [any(pair), "participants" in attrs, "username" in attrs]
        if sum(forms) != 1 or (any(pair) and not all(pair)):
            message = "Name the other person once: participant_a and participant_b, participants"
            raise serializers.ValidationError(f"{message} or username.")
        return attrs


class ParticipantRow(NamedTuple):
    """A member with his names as they are now, in the order of PARTICIPANT_COLUMNS."""

    room_id: int
    user_id: str
    username: str
    display_name: str
    avatar: str | None
    role: str
    joined_at: datetime
    last_read_seq: int
    participants_count: int
    read_receipts: bool


# For raw SQL: the columns of a ParticipantRow, from members as m with how many are in the room, and
# his profile as p.
PARTICIPANT_COLUMNS: Final = (
    "m.room_id, m.user_id, p.username, p.display_name, p.avatar, m.role, m.joined_at,"
    " m.last_read_seq, m.participants_count, p.read_receipts"
)


def participant_json(row: ParticipantRow, *, is_own: bool = False) -> dict[str, Any]:
    """A member as the others see him, or `is_own`; null where he shows nobody how far he read."""
    return {
        **profile_json(row),
        "role": row.role,
        "joined_at": timestamp(row.joined_at),
        "last_read_seq": row.last_read_seq if is_own or row.read_receipts else None,
        "muted_until": None,
    }


def room_json(
    room: Room,
    *,
    participants: Sequence[ParticipantRow],
    last_message: MessageRow | None,
    viewer_id: str = "",
) -> dict[str, Any]:
    """The one shape of a room, in events and in answers (contract §4).

    `participants` are its members, the first of them at least. In events there is no viewer.
    """
    return {
        "id": room.pk,
        "room_id": room.pk,
        "room_type": room.room_type,
        "name": "",
        "description": "",
        "image": None,
        "is_private": True,
        "max_participants": 2,
        "is_archived": False,
        "created_by": room.created_by_id,
        "created_at": timestamp(room.created_at),
        "updated_at": timestamp(room.updated_at),
        "last_activity": timestamp(room.last_activity),
        "messages_count": room.seq,
        "seq": room.seq,
        "pos": room.pos,
        "participant_a": room.participant_a,
        "participant_b": room.participant_b,
        "participants": [
            participant_json(row, is_own=row.user_id == viewer_id)
            for row in participants[:SHOWN_PARTICIPANTS]
        ],
        "participants_count": participants[0].participants_count if participants else 0,
        "last_message": last_message and message_json(last_message),
    }


def viewer_json(mine: ParticipantRow, *, unread_count: int) -> dict[str, Any]:
    """What stands beside it in answers to one of its members, and never in events."""
    return {
        "unread_count": unread_count,
        "last_read_seq": mine.last_read_seq,
        "role": mine.role,
    }
