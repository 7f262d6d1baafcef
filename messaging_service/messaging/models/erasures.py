"""Who has erased his account, and how far what is kept of him has been taken away."""

from django.db import models
from django.db.models import Q


class Erasure(models.Model):
    """Somebody is no more since `at`; his profile has said so from the moment this row is there.

    `due_at` is when to go on: whoever does moves it first, so that others leave it to him, and so
    that it is due again where he was killed. `sweeps` counts how often nothing more was found.
    """

    user_id = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    sweeps = models.SmallIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "erasures"
        indexes = [
            models.Index(fields=["due_at"], name="erasure_due", condition=Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.user_id
