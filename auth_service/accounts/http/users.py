"""Finding other people."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http.openapi import ProfilePageShape, ProfileShape
from accounts.http.pages import page_json, read_edge
from accounts.http.views import AccountView, read_input
from accounts.permissions import user_by_id, user_by_username
from accounts.queries import search_users
from accounts.serializers import SearchInput, profile_json


@extend_schema(tags=["users"])
class UsersView(AccountView):
    @extend_schema(
        operation_id="users_search",
        parameters=[SearchInput, OpenApiParameter("cursor", OpenApiTypes.STR)],
        responses={200: ProfilePageShape},
    )
    def get(self, request: Request) -> Response:
        """List active people whose username or display name begins so, by username."""
        asked = read_input(SearchInput, request.query_params)
        edge = read_edge(request.query_params.get("cursor"))
        page = search_users(prefix=asked["search"], by=self.me, size=asked["page_size"], edge=edge)
        return Response(page_json(page, request.build_absolute_uri(), profile_json))


@extend_schema(tags=["users"])
class UserView(AccountView):
    @extend_schema(
        operation_id="users_retrieve",
        responses={200: ProfileShape},
    )
    def get(self, request: Request, user_id: str) -> Response:  # noqa: ARG002 - Django's signature
        """Show an active person by id; who wants not to be found is not."""
        return Response(profile_json(user_by_id(user_id, by=self.me)))


@extend_schema(tags=["users"])
class UserByUsernameView(AccountView):
    @extend_schema(
        operation_id="users_by_username",
        responses={200: ProfileShape},
    )
    def get(self, request: Request, username: str) -> Response:  # noqa: ARG002 - as above
        """The same by username, in any case."""
        return Response(profile_json(user_by_username(username, by=self.me)))
