"""Who is calling over HTTP."""

from typing import cast

from rest_framework.request import Request

from messaging.actions.profiles import remember_caller
from messaging.actions.sessions import ended_sessions
from service_kit.authentication import AccessTokenAuthentication, Caller
from service_kit.tokens import Claims


class CallerAuthentication(AccessTokenAuthentication):
    """As in every service; and messaging keeps the names the token carries.

    Raises `session_revoked` for a token of a session that has ended.
    """

    refusals = (*AccessTokenAuthentication.refusals, "session_revoked")

    def authenticate(self, request: Request) -> tuple[Caller, Claims] | None:
        found = super().authenticate(request)
        if found is not None:
            ended_sessions().look_if_stale()
            ended_sessions().refuse(found[0].claims)
            remember_caller(claims=found[0].claims)
        return found


def caller_of(request: Request) -> Caller:
    """Who is calling, in a view that only lets people with a token in."""
    return cast("Caller", request.user)
