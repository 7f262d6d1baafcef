"""One line in the log for each event that whoever guards the system wants to know of.

Names are `noun.verbed`. auth_service also keeps its own of them in a table.

account.registered  account.deactivated  account.reactivated
login.succeeded  login.failed  login.challenged  operator.signed_in
password.changed  password.refused  password.reset  password.reset_asked  email.verified
mfa.enabled  mfa.disabled  code.refused  code.guessed  recovery_code.used  recovery_codes.made
session.ended  refresh.replayed
credential.refused  access.denied  request.limited  origin.denied
"""

import logging
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest
from prometheus_client import Counter

from service_kit.addresses import caller_address
from service_kit.logs import caller_in
from service_kit.refusals import Refusal

logger: Final = logging.getLogger("service_kit.security")
_told: Final = Counter("parley_security_events_total", "What happened, by its name.", ["event"])

_OF_STATUS: Final = {
    HTTPStatus.UNAUTHORIZED: "credential.refused",
    HTTPStatus.FORBIDDEN: "access.denied",
    HTTPStatus.NOT_FOUND: "access.denied",
    HTTPStatus.TOO_MANY_REQUESTS: "request.limited",
}


def tell_security(
    event: str,
    *,
    user_id: object = None,
    session_id: object = None,
    address: str | None = None,
    reason: str = "",
) -> None:
    """Count it and log one line, never a secret; the address is the request's unless given."""
    _told.labels(event).inc()
    logger.info(
        event,
        extra={
            "event": event,
            "user_id": None if user_id is None else str(user_id),
            "sid": None if session_id is None else str(session_id),
            "address": caller_address.get() if address is None else address,
            "reason": reason,
        },
    )


def tell_refused(
    refusal: Refusal, *, user_id: str | None, session_id: str | None, address: str | None = None
) -> None:
    """Log that somebody was refused for what he is, may or did too often; nothing else."""
    event = _OF_STATUS.get(HTTPStatus(refusal.status))
    # What is not theirs looks like what is not there; to a stranger it may well not be there.
    is_news = user_id is not None or refusal.status != HTTPStatus.NOT_FOUND
    if event is not None and is_news and not refusal.is_told:
        tell_security(
            event,
            user_id=user_id,
            session_id=session_id,
            address=address,
            reason=refusal.code,
        )


def tell_refusal(refusal: Refusal, request: HttpRequest) -> None:
    """Do so for an HTTP request."""
    claims = getattr(caller_in(request), "claims", None)
    user_id, session_id = getattr(claims, "user_id", None), getattr(claims, "session_id", None)
    tell_refused(refusal, user_id=user_id, session_id=session_id)
