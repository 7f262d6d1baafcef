"""What every view of this service has in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.permissions import live_session
from service_kit.authentication import Caller

if TYPE_CHECKING:
    from accounts.models import User

Kind = TypeVar("Kind")
Kinds = Sequence[type[Kind]]


class LiveSession(BasePermission):
    """Let a token in whose session has not ended; `view.me` is then the person."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user:
            return False
        assert isinstance(view, AccountView)
        view.me = live_session(session_id=session_id_of(request)).user
        return True


class AccountView(APIView):
    """For people whose session has not ended."""

    permission_classes: Kinds[BasePermission] = (LiveSession,)
    me: "User"


class PublicView(APIView):
    authentication_classes: Kinds[BaseAuthentication] = ()
    permission_classes: Kinds[BasePermission] = (AllowAny,)


def read_input(kind: type[Serializer[Any]], given: object) -> dict[str, Any]:
    """Return what a caller asked, as the serializer allows it; ValidationError otherwise."""
    serializer = kind(data=given)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    return asked


def session_id_of(request: Request) -> str:
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller.claims.session_id
