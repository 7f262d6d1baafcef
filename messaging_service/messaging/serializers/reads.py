"""A read marker as it is set and as the members of its room see it."""

from typing import Any, Final

from rest_framework import serializers

from messaging.models import Member
from messaging.serializers.fields import IdField
from service_kit.rendering import timestamp


class SeqInput(serializers.Serializer[Any]):
    """The `read` command."""

    seq = serializers.IntegerField(min_value=0)


class ReadInput(serializers.Serializer[Any]):
    """The body of `POST reads/`: a message, or a room and a place in it."""

    message = IdField(required=False)
    room = IdField(required=False)
    seq = serializers.IntegerField(min_value=0, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.keys() not in ({"message"}, {"room", "seq"}):
            raise serializers.ValidationError("Give either message, or room and seq.")
        return attrs


_seq_input: Final = SeqInput()


def seq_read(data: object) -> int:
    """Validate how far somebody says he has read; raises DRF's ValidationError."""
    seq: int = _seq_input.run_validation(data)["seq"]
    return seq


def marker_json(member: Member, *, message_id: int | None) -> dict[str, Any]:
    """The one shape of a marker; `message_id` is the message it stands at, if one may see it."""
    return {
        "id": member.pk,
        "room": member.room_id,
        "message": message_id,
        "user_id": member.user_id,
        "seq": member.last_read_seq,
        "read_at": member.read_at and timestamp(member.read_at),
    }
