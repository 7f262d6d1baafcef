"""Telling the other service, in the transaction of the change that is told."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.bell import ring
from service_kit.tokens import LEEWAY_SECONDS

SIDS_PER_EVENT = 100

# The row of the counter stays locked until COMMIT: events get their numbers in the order in which
# they can be seen, and a transaction that fails gives its number back.
TELL = """
WITH counter AS (
    INSERT INTO accounts_eventcounter AS old (id, newest) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET newest = old.newest + 1
    RETURNING newest
)
INSERT INTO accounts_event (id, type, at, data)
SELECT newest, %s, clock_timestamp(), %s FROM counter
RETURNING id
"""


def tell_sessions_ended(
    *, user_id: int, session_ids: Sequence[UUID], at: datetime, reason: str
) -> None:
    """Have the tokens of these sessions refused; take every other lock before."""
    # A token is accepted a little longer than it lives, by a clock that may be a little behind.
    seconds = settings.ACCESS_TOKEN_SECONDS + 2 * LEEWAY_SECONDS
    until = (at + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    for start in range(0, len(session_ids), SIDS_PER_EVENT):
        sids = [str(sid) for sid in session_ids[start : start + SIDS_PER_EVENT]]
        told = {"user_id": str(user_id), "sids": sids, "until": until, "reason": reason}
        _tell("sessions.ended", told)


def tell_user_changed(*, user_id: int) -> None:
    """Have a person's profile shown as it is when the event is read."""
    _tell("user.changed", {"user_id": str(user_id)})


def tell_user_erased(*, user_id: int) -> None:
    """Have all that is kept of a person erased; take every other lock before."""
    _tell("user.erased", {"user_id": str(user_id)})


def _tell(kind: str, data: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TELL, [kind, json.dumps(data)])
        [newest] = cursor.fetchone()
    transaction.on_commit(lambda: ring(newest))
