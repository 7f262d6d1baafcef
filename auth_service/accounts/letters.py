"""What each mail says, in plain text: nothing in it was written by whoever causes it to be sent.

verify_letter    the code and link that prove an address
reset_letter     the code and link that set another password
notice_letter    one of NOTICES: what happened to an account, for its owner
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings


class Notice(StrEnum):
    """What an owner is told of."""

    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - no secret
    PASSWORD_RESET = "password.reset"  # noqa: S105 - as above
    REFRESH_REPLAYED = "refresh.replayed"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    CODES_GUESSED = "codes.guessed"
    RECOVERY_CODE_USED = "recovery_code.used"
    RECOVERY_CODES_MADE = "recovery_codes.made"
    ACCOUNT_ERASED = "account.erased"


# The subject, and what happened.
NOTICES: Final = {
    Notice.PASSWORD_CHANGED: (
        "Your password was changed",
        "Your password was changed, and every other session of yours was ended.",
    ),
    Notice.PASSWORD_RESET: (
        "Your password was reset",
        "Your password was set anew with a code that was mailed to you; all sessions were ended.",
    ),
    Notice.REFRESH_REPLAYED: (
        "A session of yours was ended",
        "One of its tokens was used twice, as by a thief. The session was ended: log in again.",
    ),
    Notice.SECOND_FACTOR_ON: (
        "Second factor switched on",
        "From now on, logging in needs a code of your authenticator beside your password.",
    ),
    Notice.SECOND_FACTOR_OFF: (
        "Second factor switched off",
        "From now on, your password is enough to log in.",
    ),
    Notice.CODES_GUESSED: (
        "Somebody guesses at your second factor",
        "Somebody who knows your password showed too many wrong codes. Nobody came in.",
    ),
    Notice.RECOVERY_CODE_USED: (
        "A recovery code was used",
        "Somebody logged in with your password and one of your recovery codes.",
    ),
    Notice.RECOVERY_CODES_MADE: (
        "New recovery codes",
        "New recovery codes were made for your account; the old ones are void.",
    ),
    Notice.ACCOUNT_ERASED: (
        "Your account was erased",
        "Your account was erased, as its owner asked with the password. This is its last mail.",
    ),
}
_SIGNATURE: Final = "-- \nSent by Parley; answers are not read."
_DOUBT: Final = "Was it not you? Reset your password, or write to whoever runs this server."


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    body: str


def verify_letter(*, username: str, code: str, token: str) -> Letter:
    return _with_code(
        "Confirm your e-mail address",
        f"{code} is the code that confirms this address for the account {username}.",
        f"{settings.PUBLIC_URL}/api/auth/pages/verify-email/?token={token}",
        "Did you not ask for it? Then somebody typed your address by mistake: do nothing.",
    )


def reset_letter(*, username: str, code: str, token: str) -> Letter:
    return _with_code(
        "Reset your password",
        f"{code} is the code that sets another password for the account {username}.",
        f"{settings.PUBLIC_URL}/api/auth/pages/reset-password/?token={token}",
        "Did you not ask for it? Then do nothing: your password stays as it is.",
    )


def notice_letter(notice: Notice, *, username: str, at: datetime, caller: str) -> Letter:
    subject, happened = NOTICES[notice]
    facts = [f"Account:  {username}", f"When:     {at:%Y-%m-%d %H:%M} UTC"]
    facts += [f"Address:  {caller}"] if caller else []
    return Letter(subject, "\n\n".join([happened, "\n".join(facts), _DOUBT, _SIGNATURE]))


def _with_code(subject: str, code: str, link: str, doubt: str) -> Letter:
    way = f"Enter it where you were asked for it, or open this page within an hour:\n{link}"
    return Letter(subject, f"{code}\n\n{way}\n\n{doubt}\n\n{_SIGNATURE}")
