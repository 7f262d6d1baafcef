"""Presence: what was told of people last, and the names of the keys under which they are held.

Postgres keeps what was told; Redis keeps only leases of connections, which end by themselves.
"""

from typing import Final

from django.db import models
from django.db.models import Q

from messaging.models.profiles import Profile

LONGEST_CUSTOM_STATUS: Final = 140
LONGEST_EMOJI: Final = 16

# When each person's last lease ends.
DUE_KEY: Final = "parley:presence:due"
# When this Redis was first used, last asked who is due, and last found not to have been asked; and
# whether a lease that is over is believed to be.
CLOCK_KEY: Final = "parley:presence:clock"
# When each process asked last that holds all its connections as far as this Redis knows.
PROCESSES_KEY: Final = "parley:presence:processes"
# Held by the one process that compares the two stores.
HEALER_KEY: Final = "parley:presence:healer"


def leases_key(user_id: str) -> str:
    """When the lease of each of a person's connections ends."""
    return f"parley:presence:leases:{user_id}"


class Presence(models.Model):
    """What was told of somebody: online since `online_since`, or offline where it is null.

    `total_online_seconds` and `last_seen` count the time in which others saw him online. `number`
    rises with each change, under the row's lock: what is told with a higher one is newer.
    """

    class Status(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"
        BUSY = "busy"
        OFFLINE = "offline"
        INVISIBLE = "invisible"

    user = models.OneToOneField(
        Profile, on_delete=models.CASCADE, primary_key=True, related_name="presence"
    )
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ONLINE)
    custom_status = models.CharField(max_length=LONGEST_CUSTOM_STATUS, null=True)  # noqa: DJ001 - absent is null in the JSON too.
    status_emoji = models.CharField(max_length=LONGEST_EMOJI, null=True)  # noqa: DJ001 - as above.
    status_expires_at = models.DateTimeField(null=True)
    away_since = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    online_since = models.DateTimeField(null=True)
    total_online_seconds = models.FloatField(default=0)
    number = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "presence"
        indexes = [
            models.Index(
                fields=["user"], name="presence_online", condition=Q(online_since__isnull=False)
            ),
            models.Index(
                fields=["status_expires_at"],
                name="presence_expiring",
                condition=Q(status_expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.status}"


# Who chose one of these is offline to others.
HIDDEN: Final = frozenset({Presence.Status.OFFLINE.value, Presence.Status.INVISIBLE.value})
