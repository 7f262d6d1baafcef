"""Presence as somebody sets it, and as others or he himself sees it."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.timezone import now
from rest_framework import serializers

from messaging.models.presence import HIDDEN, LONGEST_CUSTOM_STATUS, LONGEST_EMOJI, Presence
from messaging.models.profiles import LastSeenTo
from messaging.serializers.fields import TextField
from service_kit.rendering import timestamp

MOST_BYTES_OF_A_CHARACTER: Final = 4


class ClearableTextField(TextField):
    """A text that null or "" takes away."""

    def __init__(self, *, max_length: int) -> None:
        super().__init__(
            max_length=max_length,
            max_bytes=max_length * MOST_BYTES_OF_A_CHARACTER,
            required=False,
            allow_null=True,
        )

    def run_validation(self, data: Any = serializers.empty) -> Any:  # noqa: ANN401 - as DRF has it.
        return super().run_validation(None if data == "" else data)


class PresenceInput(serializers.Serializer[Any]):
    """What somebody says of himself; what is left out stays as it is."""

    status = serializers.ChoiceField(Presence.Status.choices, required=False)
    custom_status = ClearableTextField(max_length=LONGEST_CUSTOM_STATUS)
    status_emoji = ClearableTextField(max_length=LONGEST_EMOJI)
    status_expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_status_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= now():
            raise serializers.ValidationError("This is in the past.")
        return value


presence_input: Final = PresenceInput()

PRESENCE_COLUMNS: Final = """
profile.user_id, profile.username, coalesce(presence.status, 'online'), presence.custom_status,
presence.status_emoji, presence.status_expires_at, presence.away_since, presence.last_seen,
presence.online_since, coalesce(presence.total_online_seconds, 0), coalesce(presence.number, 0),
profile.last_seen_to
"""


class PresenceRow(NamedTuple):
    """A person's presence as PRESENCE_COLUMNS read it; nobody was ever seen who has no row."""

    user_id: str
    username: str
    status: str
    custom_status: str | None
    status_emoji: str | None
    status_expires_at: datetime | None
    away_since: datetime | None
    last_seen: datetime | None
    online_since: datetime | None
    total_online_seconds: float
    number: int
    last_seen_to: str


def presence_json(
    row: PresenceRow, *, is_own: bool = False, is_contact: bool = False
) -> dict[str, Any]:
    """As others see it (contract §4), or a contact of his, or `is_own`.

    In his own the status is the one he chose, and he always knows when he was here.
    """
    moment = now()
    is_hidden = row.status in HIDDEN
    is_shown = is_own or (row.online_since is not None and not is_hidden)
    running = moment - row.online_since if row.online_since and not is_hidden else None
    has_custom = row.status_expires_at is None or row.status_expires_at > moment
    is_away = is_shown and row.status == Presence.Status.AWAY
    return {
        "user_id": row.user_id,
        "username": row.username,
        "status": row.status if is_shown else Presence.Status.OFFLINE.value,
        "last_seen": _time(row.last_seen) if is_own or _shows(row, is_contact) else None,
        "custom_status": row.custom_status if has_custom else None,
        "status_emoji": row.status_emoji if has_custom else None,
        "status_expires_at": _time(row.status_expires_at) if has_custom else None,
        "away_since": _time(row.away_since) if is_away else None,
        "total_online_time": int(
            row.total_online_seconds + (max(0.0, running.total_seconds()) if running else 0.0)
        ),
    }


def unseen(row: PresenceRow) -> PresenceRow:
    """As somebody looks of whom nothing is shown."""
    return PresenceRow(
        user_id=row.user_id,
        username=row.username,
        status=Presence.Status.OFFLINE.value,
        custom_status=None,
        status_emoji=None,
        status_expires_at=None,
        away_since=None,
        last_seen=None,
        online_since=None,
        total_online_seconds=0,
        number=row.number,
        last_seen_to=row.last_seen_to,
    )


def _shows(row: PresenceRow, is_contact: bool) -> bool:  # noqa: FBT001 - named where it is made.
    """Whether he lets this other person know when he was here."""
    to = row.last_seen_to
    return to == LastSeenTo.EVERYONE or (is_contact and to == LastSeenTo.CONTACTS)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
