"""`profiles/`: what messaging knows of people."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.http.authentication import caller_of
from messaging.http.documentation import ProfilesOutput
from messaging.queries.profiles import show_profiles
from messaging.serializers.fields import IdsField, UserIdField

MOST_PROFILES: Final = 100


class ProfilesInput(serializers.Serializer[Any]):
    user_ids = IdsField(child=UserIdField(), most=MOST_PROFILES)


_profiles_input: Final = ProfilesInput()


class ProfilesView(APIView):
    @extend_schema(
        operation_id="get_profiles",
        parameters=[
            OpenApiParameter("user_ids", str, required=True, description="1,2: up to 100.")
        ],
        responses={200: ProfilesOutput},
    )
    def get(self, request: Request) -> Response:
        """Those of these people that messaging knows and one may find, by their ids."""
        asked = _profiles_input.run_validation(request.query_params)
        found = show_profiles(asked["user_ids"], viewer_id=caller_of(request).id)
        return Response({"next": None, "previous": None, "results": found})
