"""One line in the log for each event that whoever guards the system wants to know of.

Names are `noun.verbed`. auth_service also keeps its own of them in a table.

account.registered  account.deactivated  account.reactivated
login.succeeded  login.failed
password.changed  password.refused
session.ended  refresh.replayed
credential.refused  access.denied  request.limited  origin.denied
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest

from service_kit.addresses import address_of, caller_address
from service_kit.logs import caller_in
from service_kit.refusals import Refusal

logger: Final = logging.getLogger("service_kit.security")

_OF_STATUS: Final = {
    HTTPStatus.UNAUTHORIZED: "credential.refused",
    HTTPStatus.FORBIDDEN: "access.denied",
    # To people with credentials: what is not theirs looks like what is not there.
    HTTPStatus.NOT_FOUND: "access.denied",
    HTTPStatus.TOO_MANY_REQUESTS: "request.limited",
}


def tell_security(
    event: str,
    *,
    user_id: object = None,
    session_id: object = None,
    meta: Mapping[str, str] | None = None,
    reason: str = "",
) -> None:
    """Log one line, never a secret; the address is the request's at hand, or read from `meta`."""
    logger.info(
        event,
        extra={
            "event": event,
            "user_id": None if user_id is None else str(user_id),
            "sid": None if session_id is None else str(session_id),
            "address": caller_address.get() if meta is None else address_of(meta),
            "reason": reason,
        },
    )


def tell_refusal(refusal: Refusal, request: HttpRequest) -> None:
    """Log a request that was refused for what its caller is, may or did too often."""
    event = _OF_STATUS.get(HTTPStatus(refusal.status))
    claims = getattr(caller_in(request), "claims", None)
    if (
        refusal.is_told
        or event is None
        or (refusal.status == HTTPStatus.NOT_FOUND and claims is None)
    ):
        return
    tell_security(
        event,
        user_id=getattr(claims, "user_id", None),
        session_id=getattr(claims, "session_id", None),
        reason=refusal.code,
    )
