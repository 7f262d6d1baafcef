"""Changing a password."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.actions.attempts import counting_failures, guesses_at
from accounts.actions.audit import record
from accounts.actions.mails import tell_owner
from accounts.actions.sessions import end_sessions_of
from accounts.errors import SessionOver, WrongPassword
from accounts.letters import Notice
from accounts.models import Session
from accounts.permissions import locked_session, locked_user


def change_password(
    *, session: Session, current_password: str, new_password: str, address: str
) -> None:
    """Set another password and end the person's other sessions; WrongPassword changes nothing.

    Wrong ones count as those of logging in do: it is the same secret that is guessed.
    """
    before = session.user
    guesses = guesses_at(name=before.username, user=before, address=address)
    with counting_failures(guesses):
        if not check_password(current_password, before.password):
            record("password.refused", user_id=before.pk, session_ids=[session.pk])
            raise WrongPassword
    with transaction.atomic():
        user = locked_user(user_id=before.pk)
        mine = locked_session(session_id=session.pk)
        # Whoever was thrown out a moment ago does not take the account along.
        if user is None or not user.is_active or mine is None or mine.ended_at:
            raise SessionOver
        if user.password != before.password:
            raise WrongPassword
        user.password = make_password(new_password)
        user.save(update_fields=["password"])
        record("password.changed", user_id=user.pk, session_ids=[session.pk])
        tell_owner(Notice.PASSWORD_CHANGED, user=user)
        end_sessions_of(user.pk, reason="password_changed", but=session.pk)
