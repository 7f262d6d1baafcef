"""`rooms/{id}/messages/`: send one, read history."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.actions.messages import send_message
from messaging.http.authentication import caller_of
from messaging.http.documentation import PROBLEMS, HistoryOutput, MessageOutput
from messaging.queries.messages import Page, history
from messaging.serializers.messages import MessageInput, new_message
from service_kit.rendering import encode_json

HISTORY_PAGE: Final = settings.LIMITS["HISTORY_PAGE"]
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


_history_input: Final = HistoryInput()


class RoomMessagesView(APIView):
    @extend_schema(
        operation_id="get_history",
        parameters=[HistoryInput],
        responses={200: HistoryOutput, **PROBLEMS},
    )
    def get(self, request: Request, room_id: int) -> HttpResponse:
        """A page of the room's history, oldest first; without parameters the newest."""
        asked = _history_input.run_validation(request.query_params)
        page = history(user_id=caller_of(request).id, room_id=room_id, **asked)
        return _json(encode_json(_page_json(page, request, asked["limit"])), status=200)

    @extend_schema(
        operation_id="send_message",
        request=MessageInput,
        responses={200: MessageOutput, 201: MessageOutput, **PROBLEMS},
    )
    def post(self, request: Request, room_id: int) -> HttpResponse:
        """Send; 200 with `duplicate: true` if this client_id had been sent before."""
        message = new_message(request.data, room_id=room_id)
        sent = send_message(sender_id=caller_of(request).id, room_id=room_id, message=message)
        body = sent.text[:-1] + b',"duplicate":true}' if sent.duplicate else sent.text
        return _json(body, status=200 if sent.duplicate else 201)


def _json(body: bytes, *, status: int) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")


def _page_json(page: Page, request: Request, limit: int) -> dict[str, Any]:
    def link(name: str, seq: int | None) -> str | None:
        if seq is None:
            return None
        return request.build_absolute_uri(f"{request.path}?{name}={seq}&limit={limit}")

    return {
        "results": page.results,
        "previous": link("before", page.before),
        "next": link("after", page.after),
        "pos": page.pos,
        "epoch": page.epoch,
    }
