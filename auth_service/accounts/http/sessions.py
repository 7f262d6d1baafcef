"""Registering, logging in, renewing and logging out."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions.mfa.login import log_in_with_code
from accounts.actions.refresh import refresh_session
from accounts.actions.register import register
from accounts.actions.sessions import SignedIn, end_all_sessions, end_session, log_in
from accounts.http.cookies import csrf_token_of, in_cookies, refresh_token_of, without_cookies
from accounts.http.openapi import (
    IN_BODY_OR_COOKIES,
    RegisteredShape,
    SignedInShape,
    TokensShape,
)
from accounts.http.views import (
    AccountView,
    PublicView,
    device_of,
    read_input,
    session_id_of,
)
from accounts.serializers import (
    LoginCodeInput,
    LoginInput,
    RefreshInput,
    RegisterInput,
    user_json,
)
from service_kit.openapi import problems


@extend_schema(tags=["sessions"])
class RegisterView(PublicView):
    @extend_schema(
        operation_id="register",
        request=RegisterInput,
        responses={
            201: RegisteredShape,
            **problems("conflict", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Create an account and its first session, and mail a code that confirms the address.

        Where the settings ask for a confirmed address before logging in, there is no session yet.
        """
        registered = register(**read_input(RegisterInput, request.data), device=device_of(request))
        if registered.signed_in:
            return _answer(registered.signed_in, status.HTTP_201_CREATED)
        body = {"user": user_json(registered.user), "access": None, "refresh": None}
        return Response(body, status.HTTP_201_CREATED)


@extend_schema(tags=["sessions"])
class LoginView(PublicView):
    @extend_schema(
        operation_id="login",
        request=LoginInput,
        responses={
            200: IN_BODY_OR_COOKIES[SignedInShape],
            **problems("not_authenticated", "mfa_required", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Open a session; every failure is the same 401.

        `mfa_required` is no failure: it brings a `challenge` that lasts five minutes, to be shown
        with a code at `login/mfa/`.
        """
        asked = read_input(LoginInput, request.data)
        is_page = asked.pop("session")
        signed_in = log_in(**asked, device=device_of(request), in_cookies=is_page)
        return in_cookies(signed_in) if is_page else _answer(signed_in, status.HTTP_200_OK)


@extend_schema(tags=["sessions"])
class LoginMfaView(PublicView):
    @extend_schema(
        operation_id="login_mfa",
        request=LoginCodeInput,
        responses={
            200: IN_BODY_OR_COOKIES[SignedInShape],
            **problems("not_authenticated", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Open the session that a login asked for, with a code of the second factor.

        `errors` tell a wrong `code`, after which the challenge still holds, from a `challenge`
        that is over.
        """
        asked = read_input(LoginCodeInput, request.data)
        signed_in, is_page = log_in_with_code(**asked, device=device_of(request))
        return in_cookies(signed_in) if is_page else _answer(signed_in, status.HTTP_200_OK)


@extend_schema(tags=["sessions"])
class RefreshView(PublicView):
    @extend_schema(
        operation_id="refresh",
        request=RefreshInput,
        responses={
            200: IN_BODY_OR_COOKIES[TokensShape],
            **problems("not_authenticated", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; a used one ends its session.

        For ten seconds, and until the new one is used, it brings the same new one again. A page
        sends `{}`, and its cookie is exchanged for new cookies.
        """
        if cookie := refresh_token_of(request):
            renewed = refresh_session(refresh=cookie, device=device_of(request))
            return in_cookies(renewed, csrf_token=csrf_token_of(request))
        asked = read_input(RefreshInput, request.data)
        renewed = refresh_session(**asked, device=device_of(request))
        return Response({"access": renewed.access, "refresh": renewed.refresh})


@extend_schema(tags=["sessions"])
class LogoutView(APIView):
    """Logging out twice is no error, so a session that has ended may come here."""

    @extend_schema(
        operation_id="logout",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """End this session."""
        end_session(session_id=session_id_of(request))
        return without_cookies(request, Response(status=status.HTTP_204_NO_CONTENT))


@extend_schema(tags=["sessions"])
class LogoutAllView(AccountView):
    @extend_schema(
        operation_id="logout_all",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """End every session of the caller, this one too."""
        end_all_sessions(user=self.me)
        return without_cookies(request, Response(status=status.HTTP_204_NO_CONTENT))


def _answer(signed_in: SignedIn, code: int) -> Response:
    user = user_json(signed_in.user)
    body = {"user": user, "access": signed_in.access, "refresh": signed_in.refresh}
    return Response(body, code)
