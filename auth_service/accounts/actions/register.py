"""Becoming a user."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower

from accounts.actions.attempts import count, registrations
from accounts.actions.audit import record
from accounts.actions.mails import mail_code
from accounts.actions.sessions import SignedIn, open_session
from accounts.devices import Device
from accounts.errors import NameTaken
from accounts.models import MailCode, User


@dataclass(frozen=True, slots=True)
class Registered:
    """`signed_in` is None where the address has to be confirmed before logging in."""

    user: User
    signed_in: SignedIn | None


def register(
    *, username: str, email: str, password: str, display_name: str = "", device: Device
) -> Registered:
    """Create a person with a first session; NameTaken if the username or address is in use."""
    count(registrations(address=device.address))
    user = User(
        username=username,
        email=email,
        display_name=display_name or username,
        password=make_password(password),
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            return Registered(user, _first_session(user, device))
    except IntegrityError as error:
        taken = _taken(username=username, email=email)
        if not taken:
            raise
        raise NameTaken(taken) from error


def _first_session(user: User, device: Device) -> SignedIn | None:
    if settings.EMAIL_VERIFICATION != "off":
        mail_code(MailCode.VERIFY, address=user.email)
    if settings.EMAIL_VERIFICATION == "required":
        record("account.registered", user_id=user.pk)
        return None
    return open_session(user=user, device=device, event="account.registered")


def _taken(*, username: str, email: str) -> list[str]:
    """Say which of the two somebody has; asked after the database refused, so races count too."""
    people = User.objects.alias(name=Lower("username"), address=Lower("email"))
    same_name, same_address = Q(name=Lower(Value(username))), Q(address=Lower(Value(email)))
    taken = {"username": people.filter(same_name), "email": people.filter(same_address)}
    return [field for field, holders in taken.items() if holders.exists()]
