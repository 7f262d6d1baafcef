"""Proving who one is, by a password: before a login, or once more in a session."""

from collections.abc import Sequence

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.actions.attempts import Bucket, count, counting_failures, give_back, guesses_at
from accounts.actions.audit import record
from accounts.errors import WrongCredentials, WrongPassword
from accounts.models import Session, User
from accounts.permissions import account_named

# What is compared where there is no account, so that a stranger's name costs a hash too.
UNUSABLE = "!"


def prove_password(*, name: str, password: str, address: str) -> User:
    """Return the active account of this username or address, if the password is its own.

    WrongCredentials says nothing of the reason; TooManyTries looks at no password.
    """
    user, tries = try_password(name=name, password=password, address=address)
    give_back(tries)
    return user


def try_password(*, name: str, password: str, address: str) -> tuple[User, Sequence[Bucket]]:
    """Do the same, but leave it to the caller to give back the tries that are returned."""
    user = account_named(name)
    tries = count(guesses_at(name=name, user=user, address=address))
    objection = _objection(user, password)
    if objection:
        record("login.failed", user_id=user.pk if user else None, reason=objection)
        raise WrongCredentials
    assert user is not None
    return user, tries


def prove_own_password(
    *, session: Session, password: str, address: str, field: str = "password"
) -> None:
    """Raise WrongPassword, of that field, unless it is the password of who has the session.

    Wrong ones count as those of logging in do: it is the same secret that is guessed.
    """
    user = session.user
    with counting_failures(guesses_at(name=user.username, user=user, address=address)):
        if not check_password(password, user.password):
            record("password.refused", user_id=user.pk, session_ids=[session.pk])
            raise WrongPassword(field)


def _objection(user: User | None, password: str) -> str:
    known = user.password if user else UNUSABLE

    def keep_stronger(raw: str) -> None:
        with transaction.atomic():
            User.objects.filter(password=known).update(password=make_password(raw))

    is_right = check_password(password, known, setter=keep_stronger)
    if user is None:
        return "unknown"
    return "" if is_right and user.is_active else "inactive" if is_right else "password"
