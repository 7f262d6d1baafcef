"""What every view of this service has in common."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.http.authentication import SessionAuthentication
from accounts.models import Session


class AccountView(APIView):
    """Answers are about one person, so nobody on the way may keep them."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = (SessionAuthentication,)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        return final


class PublicView(AccountView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


def read_input(kind: type[Serializer[Any]], given: Any) -> dict[str, Any]:
    """Return what a caller asked, as the serializer allows it; ValidationError otherwise."""
    serializer = kind(data=given)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    return asked


def session_of(request: Request) -> Session:
    session = request.auth
    assert isinstance(session, Session)
    return session
