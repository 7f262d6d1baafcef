"""What auth_service keeps: people, their sessions, what others must hear of both, and keys."""

from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.db.models.functions import Lower, Now

from accounts.devices import LONGEST_NAME

USERNAME_PATTERN = r"^[A-Za-z0-9_.-]{1,32}$"
USERNAME_LETTER = r"[A-Za-z]"


class UserManager(models.Manager["User"]):
    def create_superuser(self, *, username: str, email: str, password: str) -> "User":
        """Create an operator, for `manage.py createsuperuser`."""
        user = User(username=username, email=email, display_name=username, is_staff=True)
        user.set_password(password)
        user.save(force_insert=True)
        return user


class User(AbstractBaseUser):
    """A person. Names and addresses keep their case, and are unique without regard to it.

    A username holds a letter: digits alone would be an id in a socket's path, dots alone a folder.
    """

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(max_length=32)
    email = models.EmailField(max_length=254)
    display_name = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True, db_default=True)
    # Operators, who may sign in at the admin and do there all that can be done.
    is_staff = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    # Sessions tell when a person was last here.
    last_login = None

    objects = UserManager()

    class Meta:
        constraints = (
            # One index answers "is it taken", "who is it" and "which names begin with".
            UniqueConstraint(
                OpClass(Lower("username"), name="text_pattern_ops"), name="user_username_unique"
            ),
            UniqueConstraint(Lower("email"), name="user_email_unique"),
            CheckConstraint(
                condition=Q(username__regex=USERNAME_PATTERN) & Q(username__regex=USERNAME_LETTER),
                name="user_username_form",
            ),
            CheckConstraint(condition=~Q(display_name=""), name="user_display_name_present"),
        )
        indexes = (
            Index(
                OpClass(Lower("display_name"), name="text_pattern_ops"),
                name="user_display_name_prefix",
            ),
        )

    def has_perm(self, perm: str, obj: object = None) -> bool:  # noqa: ARG002 - the admin's question
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - as above
        return self.is_active and self.is_staff


class Session(models.Model):
    """One device's stay. Its id is the `sid` of every access token issued for it.

    `refresh_hash` is the SHA-256 of the one refresh token that may be used next; the token
    itself is kept nowhere. `used_hash` is that of the token it was exchanged for, and with
    `successor_salt` that token leads to its successor once more, for a client that lost the answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=LONGEST_NAME, blank=True, db_default="")
    address = models.GenericIPAddressField(null=True)
    refresh_hash = models.BinaryField(max_length=32)
    used_hash = models.BinaryField(max_length=32, null=True)
    successor_salt = models.BinaryField(max_length=16, null=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: models.Manager["Session"] = models.Manager()

    def __str__(self) -> str:
        return str(self.pk)


class Event(models.Model):
    """Something the other service must hear of, written in the transaction that makes it so.

    Its number comes from EventCounter under a lock held until COMMIT, so numbers have no holes and
    are seen in their order. Rows are kept: whoever begins at 0, or comes back after months, misses
    none. `data` holds ids and times alone, nothing personal that could outlive an account.
    """

    id = models.BigIntegerField(primary_key=True)
    type = models.CharField(max_length=32)
    at = models.DateTimeField()
    data = models.JSONField()

    objects: models.Manager["Event"] = models.Manager()

    def __str__(self) -> str:
        return f"{self.pk} {self.type}"


class EventCounter(models.Model):
    """The number of the newest event, in one row."""

    id = models.SmallIntegerField(primary_key=True)
    newest = models.BigIntegerField()

    objects: models.Manager["EventCounter"] = models.Manager()

    class Meta:
        constraints = (CheckConstraint(condition=Q(id=1), name="event_counter_is_one"),)

    def __str__(self) -> str:
        return str(self.newest)


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


class SecurityEvent(models.Model):
    """One thing that whoever guards the system wants to know of; the database refuses to change it.

    It outlives the account it is about, so it names it without a foreign key.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    event = models.CharField(max_length=32)
    user_id = models.BigIntegerField(null=True)
    session_id = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    reason = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects: models.Manager["SecurityEvent"] = models.Manager()

    class Meta:
        indexes = (
            Index(fields=["user_id", "id"], name="security_event_by_user"),
            Index(fields=["address", "id"], name="security_event_by_address"),
            Index(fields=["event", "id"], name="security_event_by_event"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.event}"


class Attempts(models.Model):
    """A bucket of tries (actions/attempts.py): full again at `used_until`, empty at `span` from it.

    The table is not in the write-ahead log: after a crash of Postgres all buckets are full.
    """

    key = models.BinaryField(primary_key=True, max_length=32)
    used_until = models.DateTimeField(db_index=True)
    span = models.DurationField()

    objects: models.Manager["Attempts"] = models.Manager()

    def __str__(self) -> str:
        return bytes(self.key).hex()
