"""Where people are signed in."""

from uuid import uuid4

from django.db import models

from accounts.devices import LONGEST_NAME
from accounts.models.people import User


class Session(models.Model):
    """One device's stay. Its id is the `sid` of every access token issued for it.

    `refresh_hash` is the SHA-256 of the one refresh token that may be used next; the token
    itself is kept nowhere. `used_hash` is that of the token it was exchanged for, and with
    `successor_salt` that token leads to its successor once more, for a client that lost the answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=LONGEST_NAME, blank=True, db_default="")
    address = models.GenericIPAddressField(null=True)
    refresh_hash = models.BinaryField(max_length=32)
    used_hash = models.BinaryField(max_length=32, null=True)
    successor_salt = models.BinaryField(max_length=16, null=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: models.Manager["Session"] = models.Manager()

    def __str__(self) -> str:
        return str(self.pk)
