"""What the other service must hear of."""

from django.db import models
from django.db.models import CheckConstraint, Q


class Event(models.Model):
    """Something the other service must hear of, written in the transaction that makes it so.

    Its number comes from EventCounter under a lock held until COMMIT, so numbers have no holes and
    are seen in their order. Rows are kept: whoever begins at 0, or comes back after months, misses
    none. `data` holds ids and times alone, nothing personal that could outlive an account.
    """

    id = models.BigIntegerField(primary_key=True)
    type = models.CharField(max_length=32)
    at = models.DateTimeField()
    data = models.JSONField()

    objects: models.Manager["Event"] = models.Manager()

    def __str__(self) -> str:
        return f"{self.pk} {self.type}"


class EventCounter(models.Model):
    """The number of the newest event, in one row."""

    id = models.SmallIntegerField(primary_key=True)
    newest = models.BigIntegerField()

    objects: models.Manager["EventCounter"] = models.Manager()

    class Meta:
        constraints = (CheckConstraint(condition=Q(id=1), name="event_counter_is_one"),)

    def __str__(self) -> str:
        return str(self.newest)
