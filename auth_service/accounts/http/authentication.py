"""The credential by which the other service is known."""

from dataclasses import dataclass
from hmac import compare_digest

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from service_kit.refusals import Refusal


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
