"""Changing a password."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.actions.sessions import end_sessions_of
from accounts.errors import SessionOver, WrongPassword
from accounts.models import Session
from accounts.permissions import locked_user


def change_password(*, session: Session, current_password: str, new_password: str) -> None:
    """Set another password and end the person's other sessions; WrongPassword changes nothing."""
    with transaction.atomic():
        user = locked_user(user_id=session.user_id)
        if user is None:
            raise SessionOver
        if not check_password(current_password, user.password):
            raise WrongPassword
        user.password = make_password(new_password)
        user.save(update_fields=["password"])
        end_sessions_of(user.pk, reason="password_changed", but=session.pk)
