"""Proving that an e-mail address is one's own."""

from django.db import transaction
from django.utils import timezone

from accounts.actions.attempts import count, counting_failures, guesses_at, guesses_from, mails_to
from accounts.actions.audit import record
from accounts.actions.codes import use_code, use_token
from accounts.actions.mails import mail_code
from accounts.models import MailCode, User
from accounts.permissions import account_named


def resend_verification(*, email: str, caller: str) -> None:
    """Mail another code to an account that has this address unconfirmed, if there is one."""
    count(mails_to(name=email, user=account_named(email), address=caller))
    with transaction.atomic():
        mail_code(MailCode.VERIFY, address=email)


def verify_email(*, email: str, code: str, caller: str) -> None:
    """Confirm the address by a code, once; WrongCode changes nothing, and counts."""
    user = account_named(email)
    guesses = guesses_at(name=email, user=user, address=caller, kind="code")
    user_id = user.pk if user else None
    with counting_failures(guesses), transaction.atomic():
        _confirm(use_code(user_id=user_id, purpose=MailCode.VERIFY, text=code))


def verify_email_by_link(*, token: str, caller: str) -> None:
    """Do the same with the token of a link."""
    with counting_failures(guesses_from(address=caller, kind="link")), transaction.atomic():
        _confirm(use_token(purpose=MailCode.VERIFY, token=token))


def _confirm(user: User) -> None:
    user.email_verified_at = user.email_verified_at or timezone.now()
    user.save(update_fields=["email_verified_at"])
    record("email.verified", user_id=user.pk)
