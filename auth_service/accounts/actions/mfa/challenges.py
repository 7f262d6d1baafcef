"""What stands between the password and the code of a login."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.actions.attempts import counting_failures, guesses_from
from accounts.actions.audit import record
from accounts.errors import ChallengeOver, WrongCredentials
from accounts.models import LoginChallenge, User
from accounts.permissions import locked_user

LIFE: Final = timedelta(minutes=5)
CHALLENGE_BYTES: Final = 32


def open_challenge(*, user: User, in_cookies: bool) -> str:
    """Return what a code is to be shown with, for a person who has shown the password.

    WrongCredentials if that is another now.
    """
    text = token_urlsafe(CHALLENGE_BYTES)
    now = timezone.now()
    with transaction.atomic():
        held = locked_user(user_id=user.pk)
        if held is None or held.password != user.password:
            raise WrongCredentials
        LoginChallenge.objects.filter(user=user, expires_at__lte=now).delete()
        LoginChallenge.objects.create(
            challenge_hash=_hash(text),
            user=user,
            auth_hash=user.get_session_auth_hash(),
            in_cookies=in_cookies,
            expires_at=now + LIFE,
        )
        record("login.challenged", user_id=user.pk)
    return text


def find_challenge(text: str, *, address: str) -> LoginChallenge:
    """Return the challenge with its person; ChallengeOver, which is counted, if there is none."""
    with counting_failures(guesses_from(address=address)):
        live = LoginChallenge.objects.filter(expires_at__gt=timezone.now())
        held = live.select_related("user").filter(pk=_hash(text)).first()
        if held is None:
            raise ChallengeOver
    return held


def take_challenge(challenge: LoginChallenge, user: User) -> None:
    """Use it up for the locked person, or raise ChallengeOver for what was used or came too late.

    In the caller's transaction.
    """
    is_same = constant_time_compare(challenge.auth_hash, user.get_session_auth_hash())
    live = LoginChallenge.objects.filter(pk=challenge.pk, expires_at__gt=timezone.now())
    taken, _ = live.delete()
    if not taken or not is_same:
        raise ChallengeOver


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
