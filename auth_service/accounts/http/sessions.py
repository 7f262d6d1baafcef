"""Registering, logging in, renewing and logging out."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions.refresh import refresh_session
from accounts.actions.register import register
from accounts.actions.sessions import SignedIn, end_all_sessions, end_session, log_in
from accounts.http.openapi import TOKEN_REFUSALS, SignedInShape, TokensShape, problems
from accounts.http.views import (
    AccountView,
    PublicView,
    device_of,
    read_input,
    session_id_of,
)
from accounts.serializers import LoginInput, RefreshInput, RegisterInput, user_json


@extend_schema(tags=["sessions"])
class RegisterView(PublicView):
    @extend_schema(
        operation_id="register",
        request=RegisterInput,
        responses={201: SignedInShape, **problems("invalid", "conflict", body=True)},
    )
    def post(self, request: Request) -> Response:
        """Create an account and its first session."""
        signed_in = register(**read_input(RegisterInput, request.data), device=device_of(request))
        return _answer(signed_in, status.HTTP_201_CREATED)


@extend_schema(tags=["sessions"])
class LoginView(PublicView):
    @extend_schema(
        operation_id="login",
        request=LoginInput,
        responses={200: SignedInShape, **problems("invalid", "not_authenticated", body=True)},
    )
    def post(self, request: Request) -> Response:
        """Open a session; every failure is the same 401."""
        asked = read_input(LoginInput, request.data)
        return _answer(log_in(**asked, device=device_of(request)), status.HTTP_200_OK)


@extend_schema(tags=["sessions"])
class RefreshView(PublicView):
    @extend_schema(
        operation_id="refresh",
        request=RefreshInput,
        responses={200: TokensShape, **problems("invalid", "not_authenticated", body=True)},
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; a used one ends its session.

        For ten seconds, and until the new one is used, it brings the same new one again.
        """
        asked = read_input(RefreshInput, request.data)
        renewed = refresh_session(**asked, device=device_of(request))
        return Response({"access": renewed.access, "refresh": renewed.refresh})


@extend_schema(tags=["sessions"])
class LogoutView(APIView):
    """Logging out twice is no error, so a session that has ended may come here."""

    @extend_schema(
        operation_id="logout",
        request=None,
        responses={204: None, **problems("not_authenticated", "token_expired", "outcome_unknown")},
    )
    def post(self, request: Request) -> Response:
        """End this session."""
        end_session(session_id=session_id_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["sessions"])
class LogoutAllView(AccountView):
    @extend_schema(
        operation_id="logout_all",
        request=None,
        responses={204: None, **problems(*TOKEN_REFUSALS, "outcome_unknown")},
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """End every session of the caller, this one too."""
        end_all_sessions(user=self.me)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(signed_in: SignedIn, code: int) -> Response:
    user = user_json(signed_in.user)
    body = {"user": user, "access": signed_in.access, "refresh": signed_in.refresh}
    return Response(body, code)
