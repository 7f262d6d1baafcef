"""One's own account."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.leaving.erasing import erase_own_account
from accounts.actions.profile import change_profile
from accounts.http.cookies import without_cookies
from accounts.http.openapi import UserShape
from accounts.http.views import AccountView, device_of, read_input
from accounts.serializers import PasswordInput, ProfileInput, user_json
from service_kit.openapi import problems


@extend_schema(tags=["account"])
class MeView(AccountView):
    @extend_schema(
        operation_id="me",
        responses={200: UserShape},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Show the caller's own account."""
        return Response(user_json(self.me))

    @extend_schema(
        operation_id="me_change",
        request=ProfileInput,
        responses={
            200: UserShape,
        },
    )
    def patch(self, request: Request) -> Response:
        """Change what is given of the caller's profile."""
        asked = read_input(ProfileInput, request.data)
        return Response(user_json(change_profile(session=self.session, **asked)))

    @extend_schema(
        operation_id="me_erase",
        request=PasswordInput,
        responses={204: None, **problems("rate_limited")},
    )
    def delete(self, request: Request) -> Response:
        """Erase the caller's account for good, in both services; the password confirms it.

        What was written stays in its rooms, by a deleted user. Whoever loses the answer and asks
        again is told `session_revoked`: it is done.
        """
        asked = read_input(PasswordInput, request.data)
        erase_own_account(session=self.session, address=device_of(request).address, **asked)
        return without_cookies(request, Response(status=status.HTTP_204_NO_CONTENT))
