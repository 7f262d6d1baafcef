"""What messaging_service alone may ask."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.http.authentication import InternalAuthentication
from accounts.http.views import read_input
from accounts.queries import events_after, users_with_ids, users_with_usernames
from accounts.serializers import EventsInput, InternalUsersInput, event_json, known_json


class InternalUsersView(APIView):
    authentication_classes = (InternalAuthentication,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """List people by id or username, those who left too."""
        asked = read_input(InternalUsersInput, request.query_params)
        if "ids" in asked:
            users = users_with_ids(asked["ids"])
        else:
            users = users_with_usernames(asked["usernames"])
        return Response({"results": [known_json(user) for user in users]})


class InternalEventsView(APIView):
    authentication_classes = (InternalAuthentication,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """List what happened after an event, oldest first."""
        page = events_after(read_input(EventsInput, request.query_params)["after"])
        told = [event_json(event, page.people) for event in page.events]
        return Response({"events": told, "more": page.more})
