"""What every view of this service has in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.devices import LONGEST_NAME, Device
from accounts.permissions import live_session
from service_kit.addresses import address_of
from service_kit.authentication import Caller

if TYPE_CHECKING:
    from accounts.models import Session, User

Kind = TypeVar("Kind")
Kinds = Sequence[type[Kind]]


class LiveSession(BasePermission):
    """Let a token in whose session has not ended: then it is `view.session`, of `view.me`."""

    refusals = ("session_revoked",)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user:
            return False
        assert isinstance(view, AccountView)
        view.session = live_session(session_id=session_id_of(request))
        view.me = view.session.user
        return True


class AccountView(APIView):
    """For people whose session has not ended."""

    permission_classes: Kinds[BasePermission] = (LiveSession,)
    session: "Session"
    me: "User"


class PublicView(APIView):
    authentication_classes: Kinds[BaseAuthentication] = ()
    permission_classes: Kinds[BasePermission] = (AllowAny,)


def read_input(kind: type[Serializer[Any]], given: object, **context: object) -> dict[str, Any]:
    """Return what a caller asked, as the serializer allows it; ValidationError otherwise."""
    serializer = kind(data=given, context=context)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    return asked


def device_of(request: Request) -> Device:
    """Return what the client says it is, as far as that is fit to be shown, and its address."""
    said = request.headers.get("User-Agent", "")
    name = "".join(character for character in said if character.isprintable())
    return Device(name[:LONGEST_NAME].strip(), address_of(request.META))


def session_id_of(request: Request) -> str:
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller.claims.session_id
