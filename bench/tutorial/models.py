"""Rooms that count their messages, and messages in the order of that count."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Room(models.Model):
    objects: ClassVar[models.Manager[Room]] = models.Manager()

    seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "rooms"

    def __str__(self) -> str:
        return str(self.pk)


class Message(models.Model):
    objects: ClassVar[models.Manager[Message]] = models.Manager()

    room_id: int
    room = models.ForeignKey(Room, on_delete=models.CASCADE, db_index=False)
    seq = models.BigIntegerField()
    sender = models.CharField(max_length=64)
    client_id = models.CharField(max_length=64)
    content = models.TextField()
    timestamp = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "messages"
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="one_message_per_seq")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"
