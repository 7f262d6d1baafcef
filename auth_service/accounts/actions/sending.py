"""Sending the mails that were written down: at least once, or not at all after a while.

Whoever sends a mail puts off its row first, then deletes it: a process that dies between the two
leaves it to be sent again. What a mail server refuses for good is dropped, what it does not take is
tried again ever more seldom; a code is given up after an hour, anything else after a day.
"""

import logging
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from accounts.actions.codes import new_code
from accounts.letters import Letter, Notice, notice_letter, reset_letter, verify_letter
from accounts.models import Mail, MailCode
from accounts.permissions import account_named

# Longer than it takes to send one, or it would be sent twice.
FIRST_WAIT: Final = timedelta(minutes=2)
LONGEST_WAIT: Final = timedelta(hours=1)
LIFE_OF_CODE_MAIL: Final = timedelta(hours=1)
LIFE_OF_NOTICE: Final = timedelta(days=1)
PERMANENT: Final = 500
LETTERS_WITH_CODE: Final = {MailCode.VERIFY: verify_letter, MailCode.RESET: reset_letter}
# So that no answering machine answers (RFC 3834).
HEADERS: Final = {"Auto-Submitted": "auto-generated"}

logger: Final = logging.getLogger(__name__)
_done: Final = Counter("parley_mails_total", "Mails sent, or why they never will be.", ["outcome"])


def send_next_mail() -> bool:
    """Send the mail that has been due for the longest, and say whether there was one.

    Raises what the mail back-end does where no mail at all can be sent; it is then due again later.
    """
    mail = _take()
    if mail is None:
        return False
    if not settings.SENDS_MAIL:
        _drop(mail, "no mail server is named")
    elif _is_too_old(mail):
        _drop(mail, "given up")
    elif (letter := _letter(mail)) is None:
        _drop(mail, "nobody to send it to")
    else:
        _send(mail, letter)
    return True


def _take() -> Mail | None:
    """Return a mail that is due, put off until it can be tried again."""
    now = timezone.now()
    with transaction.atomic():
        due = Mail.objects.select_for_update(skip_locked=True).filter(due_at__lte=now)
        mail = due.order_by("due_at", "pk").first()
        if mail is not None:
            mail.due_at = now + min(FIRST_WAIT * 2**mail.tries, LONGEST_WAIT)
            mail.tries += 1
            mail.save(update_fields=["due_at", "tries"])
    return mail


def _is_too_old(mail: Mail) -> bool:
    life = LIFE_OF_CODE_MAIL if mail.kind in LETTERS_WITH_CODE else LIFE_OF_NOTICE
    return timezone.now() - mail.created_at > life


def _letter(mail: Mail) -> tuple[str, Letter] | None:
    """Return to whom to write what; a code goes to the address of the account alone."""
    if mail.kind not in LETTERS_WITH_CODE:
        return mail.address, _notice(mail)
    user = account_named(mail.address)
    if user is None or not user.is_active:
        return None
    if mail.kind == MailCode.VERIFY and user.email_verified_at:
        return None
    code = new_code(user=user, purpose=mail.kind)
    write = LETTERS_WITH_CODE[mail.kind]
    return user.email, write(username=user.username, code=code.text, token=code.token)


def _notice(mail: Mail) -> Letter:
    return notice_letter(
        Notice(mail.kind), username=mail.username, at=mail.created_at, caller=mail.caller or ""
    )


def _send(mail: Mail, letter: tuple[str, Letter]) -> None:
    address, text = letter
    try:
        EmailMessage(text.subject, text.body, to=[address], headers=HEADERS).send()
    except (SMTPRecipientsRefused, SMTPDataError) as error:
        if _is_for_good(error):
            _drop(mail, "refused")
    except ValueError:
        _drop(mail, "no address a mail can go to")
    else:
        mail.delete()
        _done.labels("sent").inc()
        logger.info("mail sent", extra={"kind": mail.kind, "user_id": mail.user_id})


def _drop(mail: Mail, why: str) -> None:
    mail.delete()
    _done.labels(why).inc()
    about = {"kind": mail.kind, "user_id": mail.user_id, "reason": why}
    logger.info("mail dropped", extra=about)


def _is_for_good(error: SMTPRecipientsRefused | SMTPDataError) -> bool:
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= PERMANENT
    return all(code >= PERMANENT for code, _ in error.recipients.values())
