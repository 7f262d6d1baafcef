"""Messages: their place in history for ever, and the change that last touched them."""

from django.db import models

from messaging.models.profiles import Profile
from messaging.models.rooms import Room


class Message(models.Model):
    """`seq` never changes; `pos` is raised by every change, so catching up is a query on it."""

    class Type(models.TextChoices):
        TEXT = "text"

    # No foreign key in the database, here and for the sender: each send would pay for a check of
    # what its transaction has just locked or read, and would rewrite the sender's profile for it.
    room = models.ForeignKey(
        Room,
        on_delete=models.CASCADE,
        related_name="messages",
        db_constraint=False,
        db_index=False,
    )
    seq = models.BigIntegerField()
    created_pos = models.BigIntegerField()
    pos = models.BigIntegerField()
    sender = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    client_id = models.CharField(max_length=64)
    request_hash = models.BinaryField(max_length=16)
    message_type = models.CharField(max_length=8, choices=Type.choices, default=Type.TEXT)
    content = models.TextField()
    timestamp = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "messages"
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_per_seq"),
            models.UniqueConstraint(fields=["sender", "client_id"], name="one_send_per_client_id"),
        ]
        indexes = [models.Index(fields=["room", "pos"], name="message_by_pos")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"
