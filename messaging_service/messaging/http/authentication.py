"""Who is calling over HTTP."""

from rest_framework.request import Request

from messaging.actions.profiles import remember_caller
from service_kit.authentication import BearerAuthentication, Caller


class CallerAuthentication(BearerAuthentication):
    """As in every service, and messaging keeps the names the token carries."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        found = super().authenticate(request)
        if found is not None:
            remember_caller(claims=found[0].claims)
        return found
