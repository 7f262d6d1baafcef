"""Who is calling over HTTP."""

from typing import cast

from rest_framework.request import Request

from messaging.actions.profiles import remember_caller
from service_kit.authentication import AccessTokenAuthentication, Caller
from service_kit.tokens import Claims


class CallerAuthentication(AccessTokenAuthentication):
    """As in every service, and messaging keeps the names the token carries."""

    def authenticate(self, request: Request) -> tuple[Caller, Claims] | None:
        found = super().authenticate(request)
        if found is not None:
            remember_caller(claims=found[0].claims)
        return found


def caller_of(request: Request) -> Caller:
    """Who is calling, in a view that only lets people with a token in."""
    return cast("Caller", request.user)
