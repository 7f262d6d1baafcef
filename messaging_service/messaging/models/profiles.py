"""What messaging knows of a person: a projection of auth_service's users."""

from typing import Final

from django.db import models
from django.db.models.functions import Lower

# Whoever was erased. Nobody can register such a username: it holds a blank.
ERASED_USERNAME: Final = "deleted user"
ERASED_DISPLAY_NAME: Final = "Deleted user"


class LastSeenTo(models.TextChoices):
    """To whom is shown when somebody was last here."""

    EVERYONE = "everyone"
    CONTACTS = "contacts"
    NOBODY = "nobody"


class Profile(models.Model):
    """Fed by token claims, by events of auth_service and, for somebody never seen, by one call.

    `named_at` is when auth_service said the names: what it said earlier comes too late.
    `pos` counts what is personal to its owner, as `Room.pos` counts what happens in a room.
    `is_findable`, `last_seen_to` and `read_receipts` are what he allows others to know.
    Who was erased at `erased_at` has this row for ever, without a name: nothing names him again.
    """

    user_id = models.CharField(primary_key=True, max_length=64)
    username = models.CharField(max_length=64)
    display_name = models.CharField(max_length=128, blank=True)
    avatar = models.URLField(max_length=500, null=True)  # noqa: DJ001 - absent is null in the JSON too.
    is_active = models.BooleanField(default=True)
    named_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    pos = models.BigIntegerField(default=0)
    is_findable = models.BooleanField(default=True, db_default=True)
    last_seen_to = models.CharField(
        max_length=8,
        choices=LastSeenTo.choices,
        default=LastSeenTo.EVERYONE,
        db_default=LastSeenTo.EVERYONE,
    )
    read_receipts = models.BooleanField(default=True, db_default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "profiles"
        indexes = [models.Index(Lower("username"), name="profile_by_username")]

    def __str__(self) -> str:
        return self.username
