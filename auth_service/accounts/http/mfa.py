"""One's second factor."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.mfa.enrolling import (
    begin_mfa,
    confirm_mfa,
    renew_recovery_codes,
    switch_off_mfa,
)
from accounts.http.openapi import EnrolmentShape, RecoveryCodesShape
from accounts.http.views import AccountView, device_of, read_input
from accounts.serializers import (
    MfaBeginInput,
    MfaConfirmInput,
    PasswordInput,
    RecoveryCodesInput,
)
from service_kit.openapi import problems


@extend_schema(tags=["second factor"])
class MfaView(AccountView):
    @extend_schema(
        operation_id="mfa_begin",
        request=MfaBeginInput,
        responses={200: EnrolmentShape, **problems("conflict", "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Make a secret for an authenticator; a code of it switches the second factor on.

        The password is needed once ten minutes have passed since this session's login.
        """
        password = read_input(MfaBeginInput, request.data).get("password", "")
        address = device_of(request).address
        enrolment = begin_mfa(session=self.session, password=password, address=address)
        return Response(asdict(enrolment))

    @extend_schema(
        operation_id="mfa_switch_off",
        request=PasswordInput,
        responses={204: None, **problems("rate_limited")},
    )
    def delete(self, request: Request) -> Response:
        """Switch the second factor off, and end the caller's other sessions."""
        asked = read_input(PasswordInput, request.data)
        switch_off_mfa(session=self.session, address=device_of(request).address, **asked)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["second factor"])
class MfaConfirmView(AccountView):
    @extend_schema(
        operation_id="mfa_confirm",
        request=MfaConfirmInput,
        responses={200: RecoveryCodesShape, **problems("conflict", "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Switch the second factor on, and end the caller's other sessions."""
        asked = read_input(MfaConfirmInput, request.data)
        codes = confirm_mfa(session=self.session, address=device_of(request).address, **asked)
        return Response({"recovery_codes": codes})


@extend_schema(tags=["second factor"])
class RecoveryCodesView(AccountView):
    @extend_schema(
        operation_id="mfa_recovery_codes",
        request=RecoveryCodesInput,
        responses={200: RecoveryCodesShape, **problems("conflict", "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Make other recovery codes; the old ones are void."""
        asked = read_input(RecoveryCodesInput, request.data)
        address = device_of(request).address
        codes = renew_recovery_codes(session=self.session, address=address, **asked)
        return Response({"recovery_codes": codes})
