"""The age of this database: clients that remember another one start over."""

import uuid

from django.db import models


class Epoch(models.Model):
    """One row, written by the first migration; positions are comparable only within one value."""

    singleton = models.BooleanField(primary_key=True, default=True)
    value = models.UUIDField(default=uuid.uuid4)

    class Meta:
        db_table = "epoch"
        constraints = [
            models.CheckConstraint(condition=models.Q(singleton=True), name="epoch_is_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.value)
