"""Who knows whom, and who wants to hear nothing of whom."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from messaging.models.profiles import Profile


class Contact(models.Model):
    """Two people of whom one asked the other; one row for each pair, however often they ask.

    What is over stays as a row, so that whoever catches up is told. `requester_pos` and
    `addressee_pos` are the change of what is personal to each of them that last touched it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        REMOVED = "removed"

    requester = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    addressee = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    requester_pos = models.BigIntegerField(default=0)
    addressee_pos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "contacts"
        constraints = [
            models.UniqueConstraint(
                Least("requester_id", "addressee_id"),
                Greatest("requester_id", "addressee_id"),
                name="one_contact_per_pair",
            ),
            models.CheckConstraint(
                condition=~Q(requester=F("addressee")), name="contact_is_somebody_else"
            ),
        ]
        indexes = [
            models.Index(fields=["requester", "requester_pos"], name="contact_by_requester"),
            models.Index(fields=["addressee", "addressee_pos"], name="contact_by_addressee"),
        ]

    def __str__(self) -> str:
        return f"{self.requester_id} and {self.addressee_id}: {self.state}"


class Block(models.Model):
    """Somebody wants to hear nothing of somebody, until it is lifted.

    One that was lifted stays as a row, as above; `pos` counts in what is personal to the blocker.
    """

    blocker = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+", db_index=False)
    blocked = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    is_lifted = models.BooleanField(default=False)
    pos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "blocks"
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="one_block_per_person"),
            models.CheckConstraint(
                condition=~Q(blocker=F("blocked")), name="block_is_of_somebody_else"
            ),
        ]
        # The second finds a block of either direction at once: every send to a direct room asks.
        indexes = [
            models.Index(fields=["blocker", "pos"], name="block_by_pos"),
            models.Index(
                Least("blocker_id", "blocked_id"),
                Greatest("blocker_id", "blocked_id"),
                condition=Q(is_lifted=False),
                name="block_between",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"
