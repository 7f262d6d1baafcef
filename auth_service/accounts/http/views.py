"""What every view of this service has in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.permissions import live_session
from service_kit.authentication import BearerAuthentication, Caller

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
    """Answers are about one person, so nobody on the way may keep them."""

    authentication_classes: Kinds[BaseAuthentication] = (BearerAuthentication,)
    permission_classes: Kinds[BasePermission] = (LiveSession,)
    me: "User"

    def finalize_response(
        self,
        request: Request,
        response: Response,
        *args: Any,  # noqa: ANN401 - DRF's signature
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        return final


class PublicView(AccountView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


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
