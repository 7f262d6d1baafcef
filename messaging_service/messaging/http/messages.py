"""`messages/` and `rooms/{id}/messages/`: send, and read history."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.actions.messages import send_message
from messaging.http.answers import json_answer
from messaging.http.authentication import caller_of
from messaging.http.documentation import (
    HistoryOutput,
    MessageOutput,
    MessagesOutput,
)
from messaging.permissions import messages_of
from messaging.queries.messages import Page, history
from messaging.serializers.fields import IdField, IdsField
from messaging.serializers.messages import (
    MessageInput,
    message_json,
    new_message,
)
from service_kit.openapi import problems
from service_kit.rendering import encode_json

HISTORY_PAGE: Final = settings.LIMITS["HISTORY_PAGE"]
MOST_IDS: Final = 100
# JSON numbers are exact up to here; no room gets that far.
LARGEST_SEQ: Final = 2**53


class HistoryInput(serializers.Serializer[Any]):
    """Which stretch of history: the newest, or one of before, after, around."""

    before = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_SEQ)
    after = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_SEQ)
    around = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_SEQ)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=HISTORY_PAGE)

    def validate(self, attrs: dict[str, int]) -> dict[str, int]:
        if len(attrs.keys() & {"before", "after", "around"}) > 1:
            raise serializers.ValidationError("Give one of before, after and around.")
        return attrs


class MessagesInput(HistoryInput):
    """Either the history of a room, or some messages by their ids."""

    room = IdField(required=False)
    ids = IdsField(child=IdField(), most=MOST_IDS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("room" in attrs) == ("ids" in attrs):
            raise serializers.ValidationError("Give either room or ids.")
        return super().validate(attrs)


class PlacedMessageInput(MessageInput):
    """As for a room's own address, with the room in the body."""

    room = IdField()


class PlaceInput(serializers.Serializer[Any]):
    """Where to send it, before anything else is looked at."""

    room = IdField()


_history_input: Final = HistoryInput()
_messages_input: Final = MessagesInput()
_place_input: Final = PlaceInput()


class RoomMessagesView(APIView):
    @extend_schema(
        operation_id="get_history",
        parameters=[HistoryInput],
        responses={200: HistoryOutput},
    )
    def get(self, request: Request, room_id: int) -> HttpResponse:
        """A page of the room's history, oldest first; without parameters the newest."""
        asked = _history_input.run_validation(request.query_params)
        return _history(request, room_id, asked, f"{request.path}?")

    @extend_schema(
        operation_id="send_message",
        request=MessageInput,
        responses={
            200: MessageOutput,
            201: MessageOutput,
            **problems("blocked", "contacts_only", "client_id_reused", "rate_limited"),
        },
    )
    def post(self, request: Request, room_id: int) -> HttpResponse:
        """Send; 200 with `duplicate: true` if this client_id had been sent before."""
        return _send(request, room_id)


class MessagesView(APIView):
    @extend_schema(
        operation_id="get_messages",
        parameters=[
            HistoryInput,
            OpenApiParameter("room", int, description="Whose history."),
            OpenApiParameter("ids", str, description="1,2: up to 100 messages, and nothing else."),
        ],
        responses={200: MessagesOutput, **problems("not_found")},
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of a room's history, or those of some messages the caller may see, by id."""
        asked = _messages_input.run_validation(request.query_params)
        room_id, ids = asked.pop("room", None), asked.pop("ids", None)
        if ids is None:
            return _history(request, room_id, asked, f"{request.path}?room={room_id}&")
        rows = messages_of(user_id=caller_of(request).id, ids=ids)
        found = [message_json(row) for row in rows]
        return json_answer(encode_json({"results": found, "previous": None, "next": None}))

    @extend_schema(
        operation_id="send_message_to",
        request=PlacedMessageInput,
        responses={
            200: MessageOutput,
            201: MessageOutput,
            **problems("blocked", "contacts_only", "not_found", "client_id_reused", "rate_limited"),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """As `rooms/{id}/messages/`, with the room in the body."""
        return _send(request, _place_input.run_validation(request.data)["room"])


def _send(request: Request, room_id: int) -> HttpResponse:
    message = new_message(request.data, room_id=room_id)
    sent = send_message(sender_id=caller_of(request).id, room_id=room_id, message=message)
    body = sent.text[:-1] + b',"duplicate":true}' if sent.duplicate else sent.text
    return json_answer(body, status=200 if sent.duplicate else 201)


def _history(
    request: Request, room_id: int, asked: Mapping[str, int], address: str
) -> HttpResponse:
    page = history(user_id=caller_of(request).id, room_id=room_id, **asked)
    return json_answer(encode_json(_page_json(page, request, address, asked["limit"])))


def _page_json(page: Page, request: Request, address: str, limit: int) -> dict[str, Any]:
    def link(name: str, seq: int | None) -> str | None:
        if seq is None:
            return None
        return request.build_absolute_uri(f"{address}{name}={seq}&limit={limit}")

    return {
        "results": page.results,
        "previous": link("before", page.before),
        "next": link("after", page.after),
        "pos": page.pos,
        "epoch": page.epoch,
    }
