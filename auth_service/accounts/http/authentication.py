"""Whom a request comes from: a person with a live session, or the other service."""

from dataclasses import dataclass
from hmac import compare_digest

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from service_kit.authentication import BearerAuthentication, Caller
from service_kit.problems import Refusal

from accounts.permissions import live_session


class SessionAuthentication(BearerAuthentication):
    """An access token whose session has not ended; `request.auth` is the Session with its user."""

    def authenticate(self, request: Request) -> tuple[Caller, object] | None:
        shown = super().authenticate(request)
        if shown is None:
            return None
        caller = shown[0]
        return caller, live_session(session_id=caller.claims.session_id)


@dataclass(frozen=True, slots=True)
class OtherService:
    """messaging_service, which has shown the credential only the two services hold."""

    is_authenticated: bool = True


class InternalAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[OtherService, None]:
        shown = request.headers.get("Authorization", "")
        expected = f"Bearer {settings.INTERNAL_SECRET}"
        if not compare_digest(shown.encode(), expected.encode()):
            raise Refusal("not_authenticated", "This path is for the other service.")
        return OtherService(), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return "Bearer"
