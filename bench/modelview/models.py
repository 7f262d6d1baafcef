"""The columns a page of history is made of; messaging_service made the tables."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Profile(models.Model):
    objects: ClassVar[models.Manager[Profile]] = models.Manager()

    user_id = models.CharField(primary_key=True, max_length=64)
    username = models.CharField(max_length=64)
    display_name = models.CharField(max_length=128)
    avatar = models.URLField(max_length=500, null=True)  # noqa: DJ001 - as the table has it.

    class Meta:
        managed = False
        db_table = "profiles"

    def __str__(self) -> str:
        return self.username


class Member(models.Model):
    objects: ClassVar[models.Manager[Member]] = models.Manager()

    room_id = models.BigIntegerField()
    user_id = models.CharField(max_length=64)
    visible_from_seq = models.BigIntegerField()
    left_pos = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "members"

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}"


class Message(models.Model):
    objects: ClassVar[models.Manager[Message]] = models.Manager()

    room_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    created_pos = models.BigIntegerField()
    pos = models.BigIntegerField()
    sender = models.ForeignKey(Profile, on_delete=models.DO_NOTHING)
    client_id = models.CharField(max_length=64)
    message_type = models.CharField(max_length=8)
    content = models.TextField()
    timestamp = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "messages"

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"
