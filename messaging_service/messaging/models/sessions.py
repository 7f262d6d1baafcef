"""Sessions that ended before their tokens do, and how far auth_service has been heard of it."""

from django.db import models

LONGEST_SESSION_ID = 255
LONGEST_MARK = 64


class AuthFeed(models.Model):
    """One row, written by a migration: the last event of auth_service that was applied.

    `mark` is what tells that event from another with its number, in an auth_service that went back
    to a back-up. `number` rises with everything applied, under the row's lock, and never goes back.
    """

    singleton = models.BooleanField(primary_key=True, default=True)
    cursor = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=LONGEST_MARK, default="")
    number = models.BigIntegerField(default=0)

    class Meta:
        db_table = "auth_feed"
        constraints = [
            models.CheckConstraint(condition=models.Q(singleton=True), name="auth_feed_is_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.cursor)


class EndedSession(models.Model):
    """Tokens of this session are refused; after `until` none can be valid any more.

    `number` is the feed's when it was stored: what is new to a process has a higher one than all it
    has read.
    """

    session_id = models.CharField(primary_key=True, max_length=LONGEST_SESSION_ID)
    user_id = models.CharField(max_length=64)
    until = models.DateTimeField()
    number = models.BigIntegerField()

    class Meta:
        db_table = "ended_sessions"
        indexes = [models.Index(fields=["number"], name="ended_session_by_number")]

    def __str__(self) -> str:
        return self.session_id
