"""Writing down what whoever guards the system wants to know of, where nothing can be unwritten."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import SecurityEvent
from service_kit.addresses import caller_address
from service_kit.logs import request_id
from service_kit.security import tell_security


def record(
    event: str,
    *,
    user_id: int | None = None,
    session_ids: Sequence[UUID | None] = (None,),
    reason: str = "",
) -> None:
    """Keep a row for each session, or one without; log a line for each once they are kept.

    In the caller's transaction, if there is one.
    """
    about = {**circumstances(), "user_id": user_id, "reason": reason}
    SecurityEvent.objects.bulk_create(
        SecurityEvent(event=event, session_id=session_id, **about) for session_id in session_ids
    )
    for session_id in session_ids:
        tell(event, user_id=user_id, session_id=session_id, reason=reason)


def circumstances() -> dict[str, Any]:
    """Return who called, and in which request: what every row says beside what happened."""
    return {"address": caller_address.get() or None, "request_id": request_id.get()}


def tell(event: str, *, user_id: int | None, session_id: UUID | None, reason: str = "") -> None:
    """Log a line of what was kept, once it is."""
    told = partial(tell_security, event, user_id=user_id, session_id=session_id, reason=reason)
    transaction.on_commit(told)
