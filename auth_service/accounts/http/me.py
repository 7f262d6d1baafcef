"""One's own account."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.profile import change_profile
from accounts.http.openapi import UserShape, problems
from accounts.http.views import AccountView, read_input
from accounts.serializers import ProfileInput, user_json


class MeView(AccountView):
    @extend_schema(
        operation_id="me",
        responses={200: UserShape, **problems("not_authenticated", "session_revoked")},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Show the caller's own account."""
        return Response(user_json(self.me))

    @extend_schema(
        operation_id="me_change",
        request=ProfileInput,
        responses={
            200: UserShape,
            **problems("invalid", "not_authenticated", "session_revoked", body=True),
        },
    )
    def patch(self, request: Request) -> Response:
        """Change what is given of the caller's profile."""
        asked = read_input(ProfileInput, request.data)
        return Response(user_json(change_profile(user=self.me, **asked)))
