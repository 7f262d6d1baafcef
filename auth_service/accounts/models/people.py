"""Whose accounts there are."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.db.models.functions import Lower, Now

USERNAME_PATTERN = r"^[A-Za-z0-9_.-]{1,32}$"
USERNAME_LETTER = r"[A-Za-z]"
BIO_LENGTH = 500
ZONE_LENGTH = 64
LOCALE_LENGTH = 35
AVATAR_LENGTH = 100


class UserManager(models.Manager["User"]):
    def create_superuser(self, *, username: str, email: str, password: str) -> "User":
        """Create an operator, for `manage.py createsuperuser`."""
        user = User(username=username, email=email, display_name=username, is_staff=True)
        user.set_password(password)
        user.save(force_insert=True)
        return user


class FindMe(models.TextChoices):
    """Who finds a person by name or id."""

    EVERYONE = "everyone"
    NOBODY = "nobody"


class LastSeen(models.TextChoices):
    """To whom is shown when a person was last here."""

    EVERYONE = "everyone"
    CONTACTS = "contacts"
    NOBODY = "nobody"


class User(AbstractBaseUser):
    """A person. Names and addresses keep their case, and are unique without regard to it.

    A username holds a letter: digits alone would be an id in a socket's path, dots alone a folder.
    `avatar` is the name of a stored file. The last three are what a person allows.
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
    email_verified_at = models.DateTimeField(null=True)
    mfa_enabled_at = models.DateTimeField(null=True)
    bio = models.CharField(max_length=BIO_LENGTH, blank=True, default="", db_default="")
    avatar = models.CharField(max_length=AVATAR_LENGTH, blank=True, default="", db_default="")
    time_zone = models.CharField(max_length=ZONE_LENGTH, default="UTC", db_default="UTC")
    locale = models.CharField(max_length=LOCALE_LENGTH, default="en", db_default="en")
    find_me = models.CharField(
        max_length=8, choices=FindMe.choices, default=FindMe.EVERYONE, db_default=FindMe.EVERYONE
    )
    last_seen = models.CharField(
        max_length=8,
        choices=LastSeen.choices,
        default=LastSeen.EVERYONE,
        db_default=LastSeen.EVERYONE,
    )
    read_receipts = models.BooleanField(default=True, db_default=True)

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
