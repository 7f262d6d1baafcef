"""Where the caller is logged in."""

from functools import partial

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.sessions import end_session_of
from accounts.http.openapi import SessionPageShape
from accounts.http.pages import page_json, read_edge
from accounts.http.views import AccountView, read_input
from accounts.queries import sessions_of
from accounts.serializers import PageInput, session_json


@extend_schema(tags=["sessions"])
class SessionsView(AccountView):
    @extend_schema(
        operation_id="sessions_list",
        parameters=[PageInput, OpenApiParameter("cursor", OpenApiTypes.STR)],
        responses={200: SessionPageShape},
    )
    def get(self, request: Request) -> Response:
        """List where the caller is logged in, the newest first."""
        size = read_input(PageInput, request.query_params)["page_size"]
        edge = read_edge(request.query_params.get("cursor"))
        page = sessions_of(user=self.me, size=size, edge=edge)
        show = partial(session_json, current=self.session.pk)
        return Response(page_json(page, request.build_absolute_uri(), show))


@extend_schema(tags=["sessions"])
class SessionView(AccountView):
    @extend_schema(
        operation_id="sessions_end",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, session_id: str) -> Response:  # noqa: ARG002 - Django's
        """End one of the caller's sessions."""
        end_session_of(user=self.me, session_id=session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
