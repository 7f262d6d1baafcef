"""Changing a password."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.actions.audit import record
from accounts.actions.codes import void_codes
from accounts.actions.mails import tell_owner
from accounts.actions.proving import prove_own_password
from accounts.actions.sessions import end_sessions_of
from accounts.errors import WrongPassword
from accounts.letters import Notice
from accounts.models import MailCode, Session
from accounts.permissions import locked_owner


def change_password(
    *, session: Session, current_password: str, new_password: str, address: str
) -> None:
    """Set another password and end the person's other sessions; WrongPassword changes nothing.

    Nor can it be reset then by a code that was mailed before.
    """
    before, field = session.user, "current_password"
    prove_own_password(session=session, password=current_password, address=address, field=field)
    with transaction.atomic():
        user = locked_owner(session)
        if user.password != before.password:
            raise WrongPassword(field)
        user.password = make_password(new_password)
        user.save(update_fields=["password"])
        record("password.changed", user_id=user.pk, session_ids=[session.pk])
        void_codes(user=user, purpose=MailCode.RESET)
        tell_owner(Notice.PASSWORD_CHANGED, user=user)
        end_sessions_of(user.pk, reason="password_changed", but=session.pk)
