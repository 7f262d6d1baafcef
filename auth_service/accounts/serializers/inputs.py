"""What callers may ask."""

import re
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from accounts.fields import BioField, LocaleField, NameField, NormalField, TextField, TimeZoneField
from accounts.models import USERNAME_LETTER, USERNAME_PATTERN, FindMe, LastSeen, User

PASSWORD_LENGTH = (8, 128)
NAME_LENGTH = 64
EMAIL_LENGTH = 254
CODE_LENGTH = 64
CHALLENGE_LENGTH = 64
MOST_USERS = 100


def require_username_form(value: str) -> None:
    if not (re.fullmatch(USERNAME_PATTERN, value) and re.search(USERNAME_LETTER, value)):
        raise serializers.ValidationError(
            "1 to 32 of A-Z, a-z, 0-9, '_', '.', '-', with at least one letter.", "invalid"
        )


class PasswordField(TextField):
    """Kept as typed: blanks at its ends are part of it."""

    def __init__(self, *, min_length: int | None = None, required: bool = True) -> None:
        super().__init__(
            min_length=min_length,
            required=required,
            max_length=PASSWORD_LENGTH[1],
            trim_whitespace=False,
            write_only=True,
        )


class EmailField(TextField, serializers.EmailField):
    pass


class RegisterInput(serializers.Serializer[User]):
    username = TextField(validators=[require_username_form])
    email = EmailField(max_length=EMAIL_LENGTH)
    password = PasswordField(min_length=PASSWORD_LENGTH[0])
    display_name = NameField(
        required=False,
        allow_blank=True,
        max_length=NAME_LENGTH,
        help_text="The username, if left out.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        person = User(username=attrs["username"], email=attrs["email"])
        refuse_weak_password("password", attrs["password"], person)
        return attrs


def refuse_weak_password(field: str, password: str, person: User) -> None:
    try:
        validate_password(password, user=person)
    except DjangoValidationError as error:
        raise serializers.ValidationError({field: get_error_detail(error)}) from error


class LoginInput(serializers.Serializer[User]):
    """A username (or an address in its place) or an e-mail address; a blank one is not given."""

    username = TextField(required=False, allow_blank=True, max_length=EMAIL_LENGTH)
    email = TextField(required=False, allow_blank=True, max_length=EMAIL_LENGTH)
    password = PasswordField()
    session = serializers.BooleanField(
        default=False, help_text="For web pages: the tokens come as cookies, not in the body."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in (attrs.get("username"), attrs.get("email")) if name]
        if len(names) != 1:
            raise serializers.ValidationError({"username": "Give a username or an email."})
        asked = {"password": attrs["password"], "session": attrs["session"]}
        return {"name": names[0], **asked}


class CodeField(TextField):
    """Of an authenticator or for recovery, with or without its blanks and hyphens."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required, max_length=CODE_LENGTH)


class LoginCodeInput(serializers.Serializer[User]):
    challenge = TextField(max_length=CHALLENGE_LENGTH, help_text="What `mfa_required` brought.")
    code = CodeField()


class RefreshInput(serializers.Serializer[User]):
    refresh = TextField(max_length=1024)


class PasswordInput(serializers.Serializer[User]):
    password = PasswordField()


class PasswordChangeInput(serializers.Serializer[User]):
    current_password = PasswordField()
    new_password = PasswordField(min_length=PASSWORD_LENGTH[0])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_weak_password("new_password", attrs["new_password"], self.context["user"])
        return attrs


class PrivacyInput(serializers.Serializer[User]):
    find_me = serializers.ChoiceField(FindMe.choices, required=False)
    last_seen = serializers.ChoiceField(LastSeen.choices, required=False)
    read_receipts = serializers.BooleanField(required=False)


class MfaBeginInput(serializers.Serializer[User]):
    password = PasswordField(required=False)


class MfaConfirmInput(serializers.Serializer[User]):
    code = CodeField()


class RecoveryCodesInput(serializers.Serializer[User]):
    """One of the two."""

    password = PasswordField(required=False)
    code = CodeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"password": "Give the password or a code."})
        return attrs


class ProfileInput(serializers.Serializer[User]):
    """What is left out stays as it is, within `privacy` too."""

    display_name = NameField(required=False, max_length=NAME_LENGTH)
    bio = BioField(required=False)
    time_zone = TimeZoneField(required=False, help_text="A name of the IANA database.")
    locale = LocaleField(required=False, help_text="A language tag (BCP 47).")
    privacy = PrivacyInput(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        privacy: dict[str, Any] = attrs.pop("privacy", {})
        return attrs | privacy


class PageInput(serializers.Serializer[User]):
    page_size = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=MOST_USERS
    )


class SearchInput(PageInput):
    search = NormalField(max_length=NAME_LENGTH)


class InternalUsersInput(serializers.Serializer[User]):
    """`ids` or `usernames`, separated by commas; exactly one of the two."""

    ids = TextField(required=False)
    usernames = TextField(required=False)

    def validate(self, attrs: dict[str, str]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"ids": "Give ids or usernames."})
        [(kind, text)] = attrs.items()
        values = text.split(",")
        if len(values) > MOST_USERS:
            raise serializers.ValidationError({kind: f"{MOST_USERS} at most."})
        return {kind: values}


class EventsInput(serializers.Serializer[User]):
    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
