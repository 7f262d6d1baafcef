"""The shapes of answers, for the OpenAPI document; a test holds them against real answers."""

from typing import Any, Final

from rest_framework import serializers

# To import the shapes is to make them known.
import messaging.http.field_shapes  # noqa: F401
from service_kit.authentication import AccessTokenScheme

AVATAR: Final = "A path at the address this answer came from: `/api/auth/avatars/…`."


class CallerScheme(AccessTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "messaging.http.authentication.CallerAuthentication"


class MessageOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    room = serializers.IntegerField()
    seq = serializers.IntegerField()
    pos = serializers.IntegerField()
    created_pos = serializers.IntegerField()
    sender_id = serializers.CharField()
    sender_username = serializers.CharField()
    sender_name = serializers.CharField()
    content = serializers.CharField()
    message_type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    client_id = serializers.CharField()
    reply_to = serializers.IntegerField(allow_null=True)
    thread_count = serializers.IntegerField()
    forward_from = serializers.DictField(allow_null=True)
    mentions = serializers.ListField(child=serializers.CharField())
    attachments = serializers.ListField(child=serializers.DictField())
    location = serializers.DictField(allow_null=True)
    poll = serializers.DictField(allow_null=True)
    system = serializers.DictField(allow_null=True)
    reactions = serializers.ListField(child=serializers.DictField())
    is_edited = serializers.BooleanField()
    edited_at = serializers.DateTimeField(allow_null=True)
    is_deleted = serializers.BooleanField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    is_pinned = serializers.BooleanField()
    pinned_at = serializers.DateTimeField(allow_null=True)
    duplicate = serializers.BooleanField(
        required=False, help_text="Only in the answer to a repeated send, and true."
    )


# No docstring: those that inherit it would have it as their description in the document.
class PageOutput(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ExportPageOutput(PageOutput):
    part = serializers.CharField(help_text="What the rows are: `messages`, say.")
    results = serializers.ListField(child=serializers.DictField())


class HistoryOutput(serializers.Serializer[Any]):
    results = MessageOutput(many=True)
    previous = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    pos = serializers.IntegerField()
    epoch = serializers.UUIDField()


class MessagesOutput(HistoryOutput):
    pos = serializers.IntegerField(required=False, help_text="Only with a room.")
    epoch = serializers.UUIDField(required=False, help_text="Only with a room.")


class ParticipantOutput(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    avatar = serializers.CharField(allow_null=True, help_text=AVATAR)
    role = serializers.CharField()
    joined_at = serializers.DateTimeField()
    last_read_seq = serializers.IntegerField(
        allow_null=True, help_text="Null where he does not show how far he has read."
    )
    muted_until = serializers.DateTimeField(allow_null=True)


class RoomOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    room_id = serializers.IntegerField()
    room_type = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    image = serializers.URLField(allow_null=True)
    is_private = serializers.BooleanField()
    max_participants = serializers.IntegerField()
    is_archived = serializers.BooleanField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    last_activity = serializers.DateTimeField()
    messages_count = serializers.IntegerField()
    seq = serializers.IntegerField()
    pos = serializers.IntegerField()
    participant_a = serializers.CharField(allow_null=True)
    participant_b = serializers.CharField(allow_null=True)
    participants = ParticipantOutput(many=True)
    participants_count = serializers.IntegerField()
    last_message = MessageOutput(allow_null=True)
    unread_count = serializers.IntegerField()
    last_read_seq = serializers.IntegerField()
    role = serializers.CharField()


class RoomPageOutput(PageOutput):
    results = RoomOutput(many=True)


class OpenedRoomOutput(RoomOutput):
    created = serializers.BooleanField()


class MarkerOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    room = serializers.IntegerField()
    message = serializers.IntegerField(
        allow_null=True, help_text="The message at `seq`, where the caller may see one."
    )
    user_id = serializers.CharField()
    seq = serializers.IntegerField()
    read_at = serializers.DateTimeField(allow_null=True)


class MarkerPageOutput(PageOutput):
    results = MarkerOutput(many=True)


class UnreadRoomOutput(serializers.Serializer[Any]):
    room = serializers.IntegerField()
    unread_count = serializers.IntegerField()
    mention_count = serializers.IntegerField()
    last_message = MessageOutput(allow_null=True)


class UnreadOutput(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    mentions = serializers.IntegerField()
    rooms = UnreadRoomOutput(many=True)


class ProfileOutput(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    avatar = serializers.CharField(allow_null=True, help_text=AVATAR)


class ProfilesOutput(PageOutput):
    results = ProfileOutput(many=True)


class ChangesOutput(serializers.Serializer[Any]):
    events = serializers.ListField(
        child=serializers.DictField(), help_text="The frames a socket would have had."
    )
    pos = serializers.IntegerField()
    epoch = serializers.UUIDField()
    complete = serializers.BooleanField(
        help_text="If not, drop what you hold and fetch it: changes cannot tell what is missing."
    )
    more = serializers.BooleanField(help_text="If so, ask again from `pos`.")
    reads = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="The members' read markers, in rooms of up to 100.",
    )


class RoomsChangesOutput(serializers.Serializer[Any]):
    rooms = serializers.DictField(child=ChangesOutput(allow_null=True))


class TicketOutput(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()
