"""Rooms with their two counters, and who is a member of them."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from messaging.models.profiles import Profile


class Room(models.Model):
    """A conversation.

    `seq` counts its messages and `pos` its changes. Both are raised only by the transaction that
    makes the change while it holds this row's lock: commit order is number order, without holes.
    """

    class Type(models.TextChoices):
        DIRECT = "direct"

    room_type = models.CharField(max_length=8, choices=Type.choices)
    participant_a = models.CharField(max_length=64, null=True)  # noqa: DJ001 - only direct rooms have it.
    participant_b = models.CharField(max_length=64, null=True)  # noqa: DJ001 - as above.
    created_by = models.ForeignKey(
        Profile, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    last_activity = models.DateTimeField(default=timezone.now)
    seq = models.BigIntegerField(default=0)
    pos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "rooms"
        constraints = [
            models.UniqueConstraint(
                Least("participant_a", "participant_b"),
                Greatest("participant_a", "participant_b"),
                condition=Q(room_type="direct"),
                name="one_direct_room_per_pair",
            ),
            models.CheckConstraint(
                condition=~Q(room_type="direct")
                | Q(participant_a__isnull=False, participant_b__isnull=False)
                & ~Q(participant_a=F("participant_b")),
                name="direct_room_has_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_type} {self.pk}"


class Member(models.Model):
    """Who may see what of a room: `seq >= visible_from_seq and joined_pos <= pos <= left_pos`.

    `pos` is the room's change that last touched the membership, `user_pos` the change of what is
    personal to its holder, `added_user_pos` the one that added him.
    """

    class Role(models.TextChoices):
        MEMBER = "member"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(
        Profile, on_delete=models.PROTECT, related_name="memberships", db_index=False
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    visible_from_seq = models.BigIntegerField(default=1)
    joined_pos = models.BigIntegerField(default=0)
    left_pos = models.BigIntegerField(null=True)
    joined_at = models.DateTimeField(default=timezone.now)
    last_read_seq = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    pos = models.BigIntegerField(default=0)
    user_pos = models.BigIntegerField(default=0)
    added_user_pos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "members"
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="member_once_per_room"),
        ]
        # Both columns: whichever of the two indexes is taken, one member is found by key. The last
        # is for those alone who ask for a `pos`: it would go through all members to find one.
        indexes = [
            models.Index(fields=["user", "room"], name="member_by_user"),
            models.Index(fields=["room", "pos"], condition=Q(pos__gt=0), name="member_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}"
