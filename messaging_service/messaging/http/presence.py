"""`presence/`: how people are, and saying how one is oneself."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.presence.chosen import set_presence
from messaging.errors import Invalid, NotFound
from messaging.http.authentication import caller_of
from messaging.http.documentation import PageOutput
from messaging.http.pagination import ByUserId
from messaging.queries.presence import people_near, shown_presence
from messaging.serializers.fields import is_user_id
from messaging.serializers.presence import PresenceInput, presence_input
from service_kit.openapi import problems

MOST_ASKED_FOR: Final = 100


class PresenceOutput(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    username = serializers.CharField()
    status = serializers.CharField()
    last_seen = serializers.DateTimeField(allow_null=True)
    custom_status = serializers.CharField(allow_null=True)
    status_emoji = serializers.CharField(allow_null=True)
    status_expires_at = serializers.DateTimeField(allow_null=True)
    away_since = serializers.DateTimeField(allow_null=True)
    total_online_time = serializers.IntegerField(help_text="In seconds.")


class PresencePageOutput(PageOutput):
    results = PresenceOutput(many=True)


def _say(request: Request) -> Response:
    chosen = presence_input.run_validation(request.data)
    return Response(set_presence(user_id=caller_of(request).id, **chosen))


_SAYING: Final[dict[str, Any]] = {
    "request": PresenceInput,
    "responses": {200: PresenceOutput, **problems("rate_limited")},
}


class PresenceView(GenericAPIView[Any]):
    pagination_class = ByUserId
    serializer_class = PresenceOutput

    @extend_schema(
        operation_id="list_presence",
        parameters=[
            OpenApiParameter("user_ids", str, description="At most 100, with commas between."),
            OpenApiParameter("cursor", str, description="From `next` or `previous`."),
            OpenApiParameter("page_size", int, description="1 to 100; 50 without it."),
        ],
        responses={200: PresencePageOutput},
    )
    def get(self, request: Request) -> Response:
        """The people one shares a room with, or of those asked for the ones one may see."""
        viewer_id = caller_of(request).id
        if (asked := request.query_params.get("user_ids")) is not None:
            found = shown_presence(viewer_id=viewer_id, user_ids=_ids(asked))
            return Response({"next": None, "previous": None, "results": found})
        page = self.paginate_queryset(people_near(viewer_id=viewer_id)) or []
        ids = [person.pk for person in page]
        return self.get_paginated_response(shown_presence(viewer_id=viewer_id, user_ids=ids))

    @extend_schema(operation_id="set_presence", **_SAYING)
    def post(self, request: Request) -> Response:
        """Say how one is; what is left out stays as it is."""
        return _say(request)


def _ids(asked: str) -> list[str]:
    ids = [each.strip() for each in asked.split(",") if each.strip()]
    if len(ids) > MOST_ASKED_FOR:
        raise Invalid(f"At most {MOST_ASKED_FOR} people at a time.", field="user_ids")
    if not all(map(is_user_id, ids)):
        raise Invalid("Give user ids with commas between.", field="user_ids")
    return ids


class MyPresenceView(APIView):
    @extend_schema(operation_id="get_my_presence", responses={200: PresenceOutput})
    def get(self, request: Request) -> Response:
        """How one is, with the status one chose: nobody else sees who is invisible."""
        caller_id = caller_of(request).id
        return Response(shown_presence(viewer_id=caller_id, user_ids=[caller_id])[0])

    @extend_schema(operation_id="set_my_presence", **_SAYING)
    def post(self, request: Request) -> Response:
        """Say how one is; what is left out stays as it is."""
        return _say(request)

    @extend_schema(operation_id="change_my_presence", **_SAYING)
    def patch(self, request: Request) -> Response:
        """The same as POST."""
        return _say(request)


class PersonPresenceView(APIView):
    @extend_schema(operation_id="get_presence", responses={200: PresenceOutput})
    def get(self, request: Request, user_id: str) -> Response:
        """Somebody one shares a room with; anybody else is not found."""
        ids = [user_id] if is_user_id(user_id) else []
        if found := shown_presence(viewer_id=caller_of(request).id, user_ids=ids):
            return Response(found[0])
        raise NotFound("person")
