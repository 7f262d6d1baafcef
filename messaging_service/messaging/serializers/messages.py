"""A message as it comes in and as everybody sees it."""

import hashlib
import uuid
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.conf import settings
from rest_framework import serializers

from messaging.models import Message
from messaging.serializers.fields import ClientIdField, FlatSerializer, TextField
from service_kit.rendering import encode_json, timestamp


class MessageRow(NamedTuple):
    """A message with its sender's names as they are now, in the order of MESSAGE_COLUMNS."""

    id: int
    room_id: int
    seq: int
    pos: int
    created_pos: int
    sender_id: str
    sender_username: str
    sender_name: str
    content: str
    message_type: str
    timestamp: datetime
    client_id: str
    edited_at: datetime | None
    deleted_at: datetime | None


# For raw SQL: the columns of a MessageRow, from messages as m and its sender's profile as p.
MESSAGE_COLUMNS: Final = (
    "m.id, m.room_id, m.seq, m.pos, m.created_pos, m.sender_id, p.username, p.display_name,"
    " m.content, m.message_type, m.timestamp, m.client_id, m.edited_at, m.deleted_at"
)


class EditInput(FlatSerializer):
    """The body of `PUT messages/{id}/` and of the `message.edit` command."""

    content = TextField(
        max_length=settings.LIMITS["MESSAGE_LENGTH"], max_bytes=settings.LIMITS["MESSAGE_BYTES"]
    )


class MessageInput(EditInput):
    """The body of `POST rooms/{id}/messages/` and of the `message` command."""

    client_id = ClientIdField(required=False)
    message_type = serializers.ChoiceField(Message.Type.choices, default=Message.Type.TEXT)


# One shared instance: building a serializer costs five times what running it does.
_message_input: Final = MessageInput()
_edit_input: Final = EditInput()


class NewMessage(NamedTuple):
    """A valid request to send; `request_hash` tells a repeat from another use of its client_id."""

    content: str
    message_type: str
    client_id: str
    request_hash: bytes


def new_message(data: object, *, room_id: int) -> NewMessage:
    """Validate what a client asked to send to a room; raises DRF's ValidationError."""
    valid = _message_input.run_validation(data)
    content, message_type = valid["content"], str(valid["message_type"])
    identity = f"{room_id}\0{message_type}\0{content}".encode()
    return NewMessage(
        content=content,
        message_type=message_type,
        client_id=valid.get("client_id") or uuid.uuid4().hex,
        request_hash=hashlib.blake2b(identity, digest_size=16).digest(),
    )


def edited_content(data: object) -> str:
    """Validate what a client wants a message to say; raises as new_message."""
    content: str = _edit_input.run_validation(data)["content"]
    return content


def message_json(row: MessageRow) -> dict[str, Any]:
    """The one shape of a message in replies, acks and events (contract §4)."""
    return {
        "id": row.id,
        "room": row.room_id,
        "seq": row.seq,
        "pos": row.pos,
        "created_pos": row.created_pos,
        "sender_id": row.sender_id,
        "sender_username": row.sender_username,
        "sender_name": row.sender_name,
        "content": row.content,
        "message_type": row.message_type,
        "timestamp": timestamp(row.timestamp),
        "client_id": row.client_id,
        "reply_to": None,
        "thread_count": 0,
        "forward_from": None,
        "mentions": [],
        "attachments": [],
        "location": None,
        "poll": None,
        "system": None,
        "reactions": [],
        "is_edited": row.edited_at is not None,
        "edited_at": row.edited_at and timestamp(row.edited_at),
        "is_deleted": row.deleted_at is not None,
        "deleted_at": row.deleted_at and timestamp(row.deleted_at),
        "is_pinned": False,
        "pinned_at": None,
    }


def message_text(row: MessageRow) -> bytes:
    """The same as JSON text, made once for reply, ack and event."""
    return encode_json(message_json(row))
