"""Changing one's password."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.passwords import change_password
from accounts.http.views import AccountView, device_of, read_input
from accounts.serializers import PasswordChangeInput
from service_kit.openapi import problems


@extend_schema(tags=["account"])
class PasswordChangeView(AccountView):
    @extend_schema(
        operation_id="password_change",
        request=PasswordChangeInput,
        responses={204: None, **problems("rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Set another password, and end the caller's other sessions."""
        asked = read_input(PasswordChangeInput, request.data, user=self.me)
        change_password(session=self.session, address=device_of(request).address, **asked)
        return Response(status=status.HTTP_204_NO_CONTENT)
