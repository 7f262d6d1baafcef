"""Setting another password without the one before, by a code that was mailed."""

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.actions.attempts import count, counting_failures, guesses_at, guesses_from, mails_to
from accounts.actions.audit import record
from accounts.actions.codes import use_code, use_token
from accounts.actions.mails import mail_code, tell_owner
from accounts.actions.sessions import end_sessions_of
from accounts.letters import Notice
from accounts.models import MailCode, User
from accounts.permissions import account_named
from accounts.serializers import refuse_weak_password


def ask_reset(*, email: str, caller: str) -> None:
    """Mail a code to the active account that has this address, if there is one."""
    user = account_named(email)
    count(mails_to(name=email, user=user, address=caller))
    with transaction.atomic():
        mail_code(MailCode.RESET, address=email)
        record("password.reset_asked", user_id=user.pk if user else None)


def reset_password(*, email: str, code: str, new_password: str, caller: str) -> None:
    """Set another password by a code, once, and end every session of the person.

    WrongCode changes nothing, and counts. So does a password too like the username, but then the
    code is still good.
    """
    user = account_named(email)
    guesses = guesses_at(name=email, user=user, address=caller, kind="code")
    user_id = user.pk if user else None
    with counting_failures(guesses), transaction.atomic():
        person = use_code(user_id=user_id, purpose=MailCode.RESET, text=code)
        _set_password(person, new_password)


def reset_password_by_link(*, token: str, new_password: str, caller: str) -> None:
    """Do the same with the token of a link."""
    with counting_failures(guesses_from(address=caller, kind="link")), transaction.atomic():
        _set_password(use_token(purpose=MailCode.RESET, token=token), new_password)


def _set_password(user: User, new_password: str) -> None:
    refuse_weak_password("new_password", new_password, user)
    user.password = make_password(new_password)
    # Whoever has the code has the mails of the address.
    user.email_verified_at = user.email_verified_at or timezone.now()
    user.save(update_fields=["password", "email_verified_at"])
    record("password.reset", user_id=user.pk)
    tell_owner(Notice.PASSWORD_RESET, user=user)
    end_sessions_of(user.pk, reason="password_reset")
