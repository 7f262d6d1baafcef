"""`rooms/`: open a direct room, the inbox, one room."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.profiles import find_person, find_person_named
from messaging.actions.rooms import open_direct_room
from messaging.errors import NotAllowed
from messaging.http.authentication import caller_of
from messaging.http.documentation import (
    OpenedRoomOutput,
    RoomOutput,
    RoomPageOutput,
)
from messaging.http.pagination import NewestFirst
from messaging.permissions import member_of
from messaging.queries.rooms import rooms_of, show_room, show_rooms
from messaging.serializers.rooms import RoomInput
from service_kit.openapi import problems

if TYPE_CHECKING:
    from messaging.models import Profile


class RoomsView(GenericAPIView[Any]):
    pagination_class = NewestFirst
    serializer_class = RoomOutput

    @extend_schema(
        operation_id="list_rooms",
        parameters=[
            OpenApiParameter("cursor", str, description="From `next` or `previous`."),
            OpenApiParameter("page_size", int, description="1 to 100; 50 without it."),
        ],
        responses={200: RoomPageOutput},
    )
    def get(self, request: Request) -> Response:
        """The caller's rooms, newest message first."""
        page = self.paginate_queryset(rooms_of(user_id=caller_of(request).id)) or []
        return self.get_paginated_response(show_rooms(page, user_id=caller_of(request).id))

    @extend_schema(
        operation_id="open_room",
        request=RoomInput,
        responses={
            200: OpenedRoomOutput,
            201: OpenedRoomOutput,
            **problems("blocked", "conflict", "contacts_only", "not_found"),
        },
    )
    def post(self, request: Request) -> Response:
        """Open the direct room with somebody, or get the one that exists."""
        asked = RoomInput(data=request.data)
        asked.is_valid(raise_exception=True)
        other = _other_person(asked.validated_data, caller_id=caller_of(request).id)
        room, created = open_direct_room(caller_id=caller_of(request).id, other=other)
        shown = show_room(room, user_id=caller_of(request).id)
        return Response({**shown, "created": created}, status=201 if created else 200)


def _other_person(asked: dict[str, Any], *, caller_id: str) -> "Profile":
    if "username" in asked:
        return find_person_named(username=asked["username"], by=caller_id)
    if "participants" in asked:
        return find_person(user_id=asked["participants"][0], by=caller_id)
    pair = [asked["participant_a"], asked["participant_b"]]
    if caller_id not in pair:
        raise NotAllowed("You can open a direct room only for yourself.")
    pair.remove(caller_id)
    return find_person(user_id=pair[0], by=caller_id)


class RoomView(APIView):
    @extend_schema(operation_id="get_room", responses={200: RoomOutput})
    def get(self, request: Request, room_id: int) -> Response:
        """One of the caller's rooms."""
        member = member_of(user_id=caller_of(request).id, room_id=room_id)
        return Response(show_room(member.room, user_id=caller_of(request).id))
