"""`reads/` and `unread/`: who has read how far, and what is unread for the caller."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.reads import mark_message_read, mark_read
from messaging.http.authentication import caller_of
from messaging.http.documentation import (
    MarkerOutput,
    MarkerPageOutput,
    UnreadOutput,
)
from messaging.http.pagination import ById
from messaging.queries.reads import (
    marker_in,
    marker_of,
    markers_in,
    markers_of,
    show_markers,
    show_unread,
)
from messaging.serializers.fields import IdField
from messaging.serializers.reads import ReadInput
from service_kit.openapi import problems


class OfRoomInput(serializers.Serializer[Any]):
    room = IdField(required=False)


_of_room_input: Final = OfRoomInput()
_read_input: Final = ReadInput()


class ReadsView(GenericAPIView[Any]):
    pagination_class = ById
    serializer_class = MarkerOutput

    @extend_schema(
        operation_id="list_reads",
        parameters=[
            OpenApiParameter("room", int, description="All members' markers of this room."),
            OpenApiParameter("cursor", str, description="From `next` or `previous`."),
            OpenApiParameter("page_size", int, description="1 to 100; 50 without it."),
        ],
        responses={200: MarkerPageOutput, **problems("not_found")},
    )
    def get(self, request: Request) -> Response:
        """The caller's own markers, or those of all members of one of his rooms."""
        page = self.paginate_queryset(_asked_for(request)) or []
        shown = show_markers(page, user_id=caller_of(request).id)
        return self.get_paginated_response(shown)

    @extend_schema(
        operation_id="mark_read",
        request=ReadInput,
        responses={200: MarkerOutput, **problems("not_found")},
    )
    def post(self, request: Request) -> Response:
        """Mark everything up to there as read; a marker only moves forward."""
        asked, user_id = _read_input.run_validation(request.data), caller_of(request).id
        if "message" in asked:
            room_id = mark_message_read(user_id=user_id, message_id=asked["message"])
        else:
            room_id = asked["room"]
            mark_read(user_id=user_id, room_id=room_id, seq=asked["seq"])
        return Response(marker_in(user_id=user_id, room_id=room_id))


def _asked_for(request: Request) -> QuerySet[Any]:
    user_id = caller_of(request).id
    asked = _of_room_input.run_validation(request.query_params)
    if "room" in asked:
        return markers_in(user_id=user_id, room_id=asked["room"])
    return markers_of(user_id=user_id)


class ReadView(APIView):
    @extend_schema(operation_id="get_read", responses={200: MarkerOutput})
    def get(self, request: Request, marker_id: int) -> Response:
        """One marker in one of the caller's rooms."""
        return Response(marker_of(user_id=caller_of(request).id, marker_id=marker_id))


class UnreadView(APIView):
    @extend_schema(operation_id="get_unread", responses={200: UnreadOutput})
    def get(self, request: Request) -> Response:
        """What is unread for the caller, in rooms where something is."""
        return Response(show_unread(user_id=caller_of(request).id))
