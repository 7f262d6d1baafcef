"""Closing an account, and opening it again: for operators."""

from django.db import transaction

from accounts.actions.audit import record
from accounts.actions.events import tell_user_changed
from accounts.actions.sessions import end_sessions_of
from accounts.errors import NoSuchUser
from accounts.permissions import locked_user


def deactivate(*, user_id: int, reason: str = "") -> None:
    """Let a person in no more and end their sessions; nothing of theirs is lost.

    Doing it again changes nothing. NoSuchUser if there is none.
    """
    with transaction.atomic():
        is_new = _activate(user_id, active=False)
        if is_new:
            record("account.deactivated", user_id=user_id, reason=reason)
        end_sessions_of(user_id, reason="deactivated")
        if is_new:
            tell_user_changed(user_id=user_id)


def reactivate(*, user_id: int, reason: str = "") -> None:
    """Let a deactivated person log in again; NoSuchUser if there is none."""
    with transaction.atomic():
        if _activate(user_id, active=True):
            record("account.reactivated", user_id=user_id, reason=reason)
            tell_user_changed(user_id=user_id)


def _activate(user_id: int, *, active: bool) -> bool:
    """Lock and change the person, and say whether that was news."""
    user = locked_user(user_id=user_id)
    if user is None:
        raise NoSuchUser
    is_new = user.is_active is not active
    user.is_active = active
    user.save(update_fields=["is_active"])
    return is_new
