"""A room as it is asked for and as its members see it."""

from collections.abc import Sequence
from typing import Any, Final

from rest_framework import serializers

from messaging.models import Member, Room
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


def participant_json(member: Member) -> dict[str, Any]:
    """A member as the others see him; `.user` must be loaded."""
    return {
        **profile_json(member.user),
        "role": member.role,
        "joined_at": timestamp(member.joined_at),
        "last_read_seq": member.last_read_seq,
        "muted_until": None,
    }


def room_json(
    room: Room, *, members: Sequence[Member], last_message: MessageRow | None
) -> dict[str, Any]:
    """The one shape of a room, in events and in answers (contract §4)."""
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
        "participants": [participant_json(member) for member in members[:SHOWN_PARTICIPANTS]],
        "participants_count": len(members),
        "last_message": last_message and message_json(last_message),
    }


def viewer_json(mine: Member, *, unread_count: int) -> dict[str, Any]:
    """What stands beside it in answers to one of its members, and never in events."""
    return {
        "unread_count": unread_count,
        "last_read_seq": mine.last_read_seq,
        "role": mine.role,
    }
