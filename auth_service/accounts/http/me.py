"""One's own account."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.profile import change_profile
from accounts.http.openapi import TOKEN_REFUSALS, UserShape, problems
from accounts.http.views import AccountView, read_input
from accounts.serializers import ProfileInput, user_json


@extend_schema(tags=["account"])
class MeView(AccountView):
    @extend_schema(
        operation_id="me",
        responses={200: UserShape, **problems(*TOKEN_REFUSALS)},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Show the caller's own account."""
        return Response(user_json(self.me))

    @extend_schema(
        operation_id="me_change",
        request=ProfileInput,
        responses={
            200: UserShape,
            **problems("invalid", *TOKEN_REFUSALS, body=True),
        },
    )
    def patch(self, request: Request) -> Response:
        """Change what is given of the caller's profile."""
        asked = read_input(ProfileInput, request.data)
        return Response(user_json(change_profile(user=self.me, **asked)))
