"""`messages/{id}/`, also below its room: one message."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.actions.messages import delete_message, edit_message
from messaging.errors import Invalid
from messaging.http.answers import json_answer
from messaging.http.authentication import caller_of
from messaging.http.documentation import MessageOutput
from messaging.permissions import message_of
from messaging.serializers.messages import EditInput, edited_content, message_text
from service_kit.openapi import problems


class MessageView(APIView):
    @extend_schema(operation_id="get_message", responses={200: MessageOutput})
    def get(self, request: Request, message_id: int, room_id: int | None = None) -> HttpResponse:
        """One message as it is now."""
        user_id = caller_of(request).id
        row = message_of(user_id=user_id, message_id=message_id, room_id=room_id)
        return json_answer(message_text(row))

    @extend_schema(
        operation_id="edit_message",
        request=EditInput,
        responses={
            200: MessageOutput,
            **problems("blocked", "contacts_only", "conflict", "rate_limited"),
        },
    )
    def put(self, request: Request, message_id: int, room_id: int | None = None) -> HttpResponse:
        """Give one's own message another content."""
        text = edit_message(
            user_id=caller_of(request).id,
            message_id=message_id,
            room_id=room_id,
            content=edited_content(request.data),
        )
        return json_answer(text)

    @extend_schema(
        operation_id="change_message",
        request=EditInput,
        responses={
            200: MessageOutput,
            **problems("blocked", "contacts_only", "conflict", "rate_limited"),
        },
    )
    def patch(self, request: Request, message_id: int, room_id: int | None = None) -> HttpResponse:
        """The same as PUT: the content is all that can be changed."""
        return self.put(request, message_id, room_id)

    @extend_schema(
        operation_id="delete_message",
        request=None,
        responses={204: None, **problems("invalid", "rate_limited")},
    )
    def delete(self, request: Request, message_id: int, room_id: int | None = None) -> HttpResponse:
        """Delete one's own message for everybody; a tombstone stays."""
        if "for" in request.query_params:
            raise Invalid("Messages can be deleted for everybody only.", field="for")
        delete_message(user_id=caller_of(request).id, message_id=message_id, room_id=room_id)
        return HttpResponse(status=204)


@extend_schema_view(
    get=extend_schema(operation_id="get_message_of_room"),
    put=extend_schema(operation_id="edit_message_of_room"),
    patch=extend_schema(operation_id="change_message_of_room"),
    delete=extend_schema(operation_id="delete_message_of_room"),
)
class RoomMessageView(MessageView):
    """The same object below its room; another room's message is not found there."""
