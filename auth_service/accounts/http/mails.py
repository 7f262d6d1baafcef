"""What is done with codes that are mailed: confirming an address, setting another password."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions.reset import ask_reset, reset_password, reset_password_by_link
from accounts.actions.verification import resend_verification, verify_email, verify_email_by_link
from accounts.fields import TextField
from accounts.http.openapi import MailedShape
from accounts.http.views import Kinds, PublicView, device_of, read_input, session_id_of
from accounts.permissions import live_session
from accounts.serializers import (
    EMAIL_LENGTH,
    PASSWORD_LENGTH,
    EmailField,
    PasswordField,
)
from service_kit.openapi import problems

CODE_LENGTH: Final = 32
TOKEN_LENGTH: Final = 64
MAILED: Final = {"detail": "If an account with this address can use it, a mail is on its way."}


class EmailInput(serializers.Serializer[None]):
    email = EmailField(max_length=EMAIL_LENGTH)


class OwnEmailInput(serializers.Serializer[None]):
    """Without an address it is the caller's own."""

    email = EmailField(required=False, max_length=EMAIL_LENGTH)


class CodeInput(serializers.Serializer[None]):
    """A code and the address it was mailed to, or the token of the link in the same mail."""

    email = EmailField(required=False, max_length=EMAIL_LENGTH)
    code = TextField(required=False, max_length=CODE_LENGTH)
    token = TextField(required=False, max_length=TOKEN_LENGTH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("token" in attrs) == ("code" in attrs):
            raise serializers.ValidationError({"code": "Give a code or a token."})
        return attrs


class ResetInput(CodeInput):
    new_password = PasswordField(min_length=PASSWORD_LENGTH[0])


class MailView(APIView):
    """For everybody; who shows credentials need not give an address."""

    permission_classes: Kinds[BasePermission] = (AllowAny,)

    def email_of(self, request: Request, asked: dict[str, Any]) -> str:
        email: str | None = asked.get("email")
        if email is None and request.user:
            email = live_session(session_id=session_id_of(request)).user.email
        if email is None:
            raise serializers.ValidationError({"email": "Give an address, or credentials."})
        return email


@extend_schema(tags=["account"])
class EmailVerifyView(MailView):
    @extend_schema(
        operation_id="email_verify",
        request=CodeInput,
        responses={204: None, **problems("rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Confirm an e-mail address by what was mailed to it, once."""
        asked, caller = read_input(CodeInput, request.data), device_of(request).address
        if "token" in asked:
            verify_email_by_link(token=asked["token"], caller=caller)
        else:
            email = self.email_of(request, asked)
            verify_email(email=email, code=asked["code"], caller=caller)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["account"])
class EmailResendView(MailView):
    @extend_schema(
        operation_id="email_resend",
        request=OwnEmailInput,
        responses={202: MailedShape, **problems("rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Mail another code, if this address waits to be confirmed; the answer tells nothing."""
        email = self.email_of(request, read_input(OwnEmailInput, request.data))
        resend_verification(email=email, caller=device_of(request).address)
        return Response(MAILED, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["account"])
class PasswordResetView(PublicView):
    @extend_schema(
        operation_id="password_reset",
        request=EmailInput,
        responses={202: MailedShape, **problems("rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Mail a code for another password, if this is an account's; the answer tells nothing."""
        ask_reset(**read_input(EmailInput, request.data), caller=device_of(request).address)
        return Response(MAILED, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["account"])
class PasswordResetConfirmView(PublicView):
    @extend_schema(
        operation_id="password_reset_confirm",
        request=ResetInput,
        responses={204: None, **problems("rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """Set another password by what was mailed, once, and end every session."""
        asked, caller = read_input(ResetInput, request.data), device_of(request).address
        new_password = asked["new_password"]
        if "token" in asked:
            reset_password_by_link(token=asked["token"], new_password=new_password, caller=caller)
        elif "email" in asked:
            code = asked["code"]
            reset_password(
                email=asked["email"], code=code, new_password=new_password, caller=caller
            )
        else:
            raise serializers.ValidationError({"email": "Give the address the code went to."})
        return Response(status=status.HTTP_204_NO_CONTENT)
