"""What somebody says of himself."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from messaging.actions.presence.told import changes
from messaging.broadcast import publish
from messaging.events import presence
from messaging.models.presence import HIDDEN, Presence
from messaging.permissions.limits import presence_limit
from messaging.queries.contacts import hidden_from
from messaging.queries.presence import audiences_of, presence_rows
from messaging.serializers.presence import PresenceRow, presence_json

_KNOW = """
INSERT INTO presence (user_id, status, total_online_seconds)
SELECT user_id, 'online', 0 FROM profiles WHERE user_id = %s
ON CONFLICT DO NOTHING
"""


def set_presence(
    *,
    user_id: str,
    is_here: bool = False,
    **chosen: Any,  # noqa: ANN401 - of PresenceInput.
) -> dict[str, Any]:
    """Keep what he says, and tell the others if they see him otherwise now; returns what he sees.

    `chosen` is what PresenceInput has validated. A custom status takes back until when the one
    before it was meant; whoever hides is seen to have gone. `is_here`: he says it on a connection,
    so he has come, if that was not told yet. Raises RateLimited.
    """
    presence_limit().take(user_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_KNOW, [user_id])
        kept = Presence.objects.select_for_update().get(pk=user_id)
        (before,) = presence_rows([user_id])
        _choose(kept, chosen, now())
        comes = is_here and kept.online_since is None
        if comes:
            kept.online_since = now()
        kept.number += 1
        kept.save()
        (after,) = presence_rows([user_id])
        rooms = audiences_of([user_id]) if _look(before) != _look(after) else {}
        hidden = hidden_from(list(rooms)).get(user_id, [])
    changes.labels("came").inc(comes)
    shown = presence_json(after)
    publish(
        presence(shown, number=after.number, rooms=each, hidden_from=hidden)
        for each in rooms.values()
    )
    return presence_json(after, is_own=True)


def _choose(kept: Presence, chosen: dict[str, Any], moment: datetime) -> None:
    if kept.status_expires_at is not None and kept.status_expires_at <= moment:
        kept.custom_status = kept.status_emoji = kept.status_expires_at = None
    if "custom_status" in chosen:
        kept.status_expires_at = None
    for name in ("custom_status", "status_emoji", "status_expires_at"):
        setattr(kept, name, chosen.get(name, getattr(kept, name)))
    _choose_status(kept, chosen.get("status", kept.status), moment)


def _choose_status(kept: Presence, status: str, moment: datetime) -> None:
    if status == kept.status:
        return
    if kept.online_since is not None and (status in HIDDEN) != (kept.status in HIDDEN):
        if status in HIDDEN:
            kept.last_seen = moment
            kept.total_online_seconds += max(0.0, (moment - kept.online_since).total_seconds())
        kept.online_since = moment
    kept.status = status
    kept.away_since = moment if status == Presence.Status.AWAY else None


def _look(row: PresenceRow) -> dict[str, Any]:
    """What others see, but for what changes by itself."""
    passing = {"last_seen", "total_online_time"}
    return {key: value for key, value in presence_json(row).items() if key not in passing}
