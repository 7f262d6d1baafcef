"""Contacts and blocks as they are asked for and as one of the two sees them."""

from typing import Any, Final

from rest_framework import serializers

from messaging.models import Block, Contact
from messaging.serializers.fields import UserIdField
from messaging.serializers.rooms import LONGEST_USERNAME
from service_kit.rendering import timestamp

OUTGOING: Final = "outgoing"
INCOMING: Final = "incoming"
DIRECTIONS: Final = (OUTGOING, INCOMING)


class PersonInput(serializers.Serializer[Any]):
    """Somebody, by his id or by his name."""

    user_id = UserIdField(required=False)
    username = serializers.CharField(max_length=LONGEST_USERNAME, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either user_id or username.")
        return attrs


person_input: Final = PersonInput()


def contact_json(contact: Contact, *, user_id: str) -> dict[str, Any]:
    """The one shape of a contact, as this one of the two sees it; both must be loaded."""
    is_outgoing = contact.requester_id == user_id
    other = contact.addressee if is_outgoing else contact.requester
    return {
        "id": contact.pk,
        "user_id": other.user_id,
        "username": other.username,
        "direction": OUTGOING if is_outgoing else INCOMING,
        "state": contact.state,
        "created_at": timestamp(contact.created_at),
    }


def block_json(block: Block) -> dict[str, Any]:
    """The one shape of a block, which only its maker sees; `.blocked` must be loaded."""
    return {
        "user_id": block.blocked_id,
        "username": block.blocked.username,
        "created_at": timestamp(block.created_at),
        "is_lifted": block.is_lifted,
    }
