"""What was tried and what happened, as those who guard the system see it."""

from django.db import models
from django.db.models import Index
from django.db.models.functions import Now


class SecurityEvent(models.Model):
    """One thing that whoever guards the system wants to know of; the database refuses to change it.

    It outlives the account it is about, so it names it without a foreign key.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    event = models.CharField(max_length=32)
    user_id = models.BigIntegerField(null=True)
    session_id = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    reason = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects: models.Manager["SecurityEvent"] = models.Manager()

    class Meta:
        indexes = (
            Index(fields=["user_id", "id"], name="security_event_by_user"),
            Index(fields=["address", "id"], name="security_event_by_address"),
            Index(fields=["event", "id"], name="security_event_by_event"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.event}"


class Attempts(models.Model):
    """A bucket of tries (actions/attempts.py): full again at `used_until`, empty at `span` from it.

    The table is not in the write-ahead log: after a crash of Postgres all buckets are full.
    """

    key = models.BinaryField(primary_key=True, max_length=32)
    used_until = models.DateTimeField(db_index=True)
    span = models.DurationField()

    objects: models.Manager["Attempts"] = models.Manager()

    def __str__(self) -> str:
        return bytes(self.key).hex()
