"""The keys that sign, but for the one in a file."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint


class StoredKey(models.Model):
    """A key pair for access tokens: `next` is published, `active` signs, `retired` did.

    The private half is sealed under the key in JWT_PRIVATE_KEY_FILE, whose name is `root`; rows of
    another root are as good as none.
    """

    NEXT, ACTIVE, RETIRED = "next", "active", "retired"

    key_id = models.CharField(primary_key=True, max_length=43)
    root = models.CharField(max_length=43)
    state = models.CharField(max_length=7)
    public = models.JSONField()
    sealed = models.BinaryField()
    published_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    objects: models.Manager["StoredKey"] = models.Manager()

    class Meta:
        constraints = (
            CheckConstraint(
                condition=Q(state__in=("next", "active"), retired_at=None)
                | Q(state="retired", retired_at__isnull=False),
                name="stored_key_state",
            ),
            UniqueConstraint(
                fields=("root", "state"),
                condition=~Q(state="retired"),
                name="stored_key_one_next_one_active",
            ),
        )

    def __str__(self) -> str:
        return f"{self.key_id} {self.state}"
