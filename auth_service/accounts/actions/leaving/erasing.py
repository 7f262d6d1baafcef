"""Erasing an account, for its owner or an operator."""

from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.actions.avatars import erase_avatars
from accounts.actions.events import tell_sessions_ended, tell_user_erased
from accounts.actions.leaving.personal import PERSONAL
from accounts.actions.mails import forget_mails, tell_owner
from accounts.actions.proving import prove_own_password
from accounts.errors import NoSuchUser, NotErased, WrongPassword
from accounts.letters import Notice
from accounts.models import Session, User
from accounts.permissions import locked_owner, locked_user

# A statement may not take long, however many wrong passwords others have tried.
ADDRESSES_AT_ONCE: Final = 5_000

_FORGET_ADDRESSES: Final = """
UPDATE accounts_securityevent SET address = NULL WHERE id IN (
    SELECT id FROM accounts_securityevent WHERE user_id = %s AND address IS NOT NULL LIMIT %s
)
"""


def erase_own_account(*, session: Session, password: str, address: str) -> None:
    """Erase the account of who has the session; WrongPassword changes nothing, and counts."""
    prove_own_password(session=session, password=password, address=address)
    with transaction.atomic():
        user = locked_owner(session)
        if user.password != session.user.password:
            raise WrongPassword
        _erase(user)


def erase_account(*, user_id: int, reason: str = "") -> None:
    """Erase an account as its owner could; NoSuchUser if there is none."""
    with transaction.atomic():
        user = locked_user(user_id=user_id)
        if user is None:
            raise NoSuchUser
        _erase(user, reason)


def _erase(user: User, reason: str = "") -> None:
    """Leave nothing of a locked person but what happened to the number he was."""
    user_id, sessions = user.pk, Session.objects.filter(user=user, ended_at=None)
    # Locked, so that no token can be younger than the time of their end.
    held = sessions.select_for_update(no_key=True).order_by("pk")
    live = list(held.values_list("pk", flat=True))
    forget_mails(user=user)
    for personal in PERSONAL:
        if not personal.kept and personal.model is not User:
            personal.of(user_id).delete()
    tell_owner(Notice.ACCOUNT_ERASED, user=user)
    User.objects.filter(pk=user_id).delete()
    _erase_pictures(user_id)
    record("account.erased", user_id=user_id, reason=reason)
    _forget_addresses(user_id)
    tell_sessions_ended(user_id=user_id, session_ids=live, at=timezone.now(), reason="erased")
    tell_user_erased(user_id=user_id)


def _erase_pictures(user_id: int) -> None:
    """Remove the files before it is certain that the account goes: none is left of who has gone."""
    try:
        erase_avatars(user_id=user_id)
    except OSError as error:
        raise NotErased from error


def _forget_addresses(user_id: int) -> None:
    """Take out the addresses from where the account was used, or guessed at."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FORGET_ADDRESSES, [user_id, ADDRESSES_AT_ONCE])
            if cursor.rowcount < ADDRESSES_AT_ONCE:
                return
