"""Switching the second factor on and off.

begin_mfa               a new secret for the authenticator; nothing is asked for yet
confirm_mfa             from here on a code is asked for
switch_off_mfa          with the password
reset_mfa               for somebody who lost authenticator and recovery codes: for operators
renew_recovery_codes    other recovery codes, with the password or a code

Whatever switches ends the person's other sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import totp
from accounts.actions.audit import record
from accounts.actions.mails import tell_owner
from accounts.actions.mfa.codes import new_recovery_codes, with_code
from accounts.actions.proving import prove_own_password
from accounts.actions.sessions import end_sessions_of
from accounts.errors import MfaAlreadyOn, MfaNotBegun, MfaOff, NoSuchUser, PasswordNeeded
from accounts.keys.sealing import seal_second_factor
from accounts.letters import Notice
from accounts.models import LoginChallenge, RecoveryCode, SecondFactor, Session, User
from accounts.permissions import locked_owner, locked_user

# Whoever logged in so lately need not show the password again.
LATELY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: `secret` to be typed, or `otpauth_url` as a `qr_code`."""

    secret: str
    otpauth_url: str
    qr_code: str


def begin_mfa(*, session: Session, password: str, address: str) -> Enrolment:
    """Make a secret, in the place of one that was not confirmed; MfaAlreadyOn if it is on.

    PasswordNeeded if there is none and the session did not begin lately: whoever stole one must
    not lock the owner out.
    """
    if password:
        prove_own_password(session=session, password=password, address=address)
    elif timezone.now() - session.created_at > LATELY:
        raise PasswordNeeded
    secret = totp.new_secret()
    with transaction.atomic():
        user = locked_owner(session)
        if user.mfa_enabled_at:
            raise MfaAlreadyOn
        sealed = seal_second_factor(secret, user_id=user.pk)
        made = {"sealed": sealed, "last_step": None}
        SecondFactor.objects.update_or_create(user=user, defaults=made)
    url = totp.otpauth_url(secret, username=user.username)
    return Enrolment(totp.secret_text(secret), url, totp.qr_code(url))


def confirm_mfa(*, session: Session, code: str, address: str) -> Sequence[str]:
    """Switch it on with a code of the new secret, and return the recovery codes."""
    _require_begun(session.user)

    def switch_on(_: User) -> Sequence[str]:
        user = locked_owner(session)
        _require_begun(user)
        user.mfa_enabled_at = timezone.now()
        user.save(update_fields=["mfa_enabled_at"])
        codes = new_recovery_codes(user)
        record("mfa.enabled", user_id=user.pk, session_ids=[session.pk])
        tell_owner(Notice.SECOND_FACTOR_ON, user=user)
        end_sessions_of(user.pk, reason="mfa_enabled", but=session.pk)
        return codes

    return with_code(user=session.user, code=code, address=address, act=switch_on)


def switch_off_mfa(*, session: Session, password: str, address: str) -> None:
    """Ask for no code any more; nothing to do is no error. WrongPassword changes nothing."""
    prove_own_password(session=session, password=password, address=address)
    with transaction.atomic():
        _switch_off(locked_owner(session), keeping=session.pk)


def reset_mfa(*, user_id: int, reason: str = "") -> None:
    """Do so for a person who cannot, and end all their sessions; NoSuchUser if there is none."""
    with transaction.atomic():
        user = locked_user(user_id=user_id)
        if user is None:
            raise NoSuchUser
        _switch_off(user, reason=reason)


def renew_recovery_codes(
    *, session: Session, password: str = "", code: str = "", address: str
) -> Sequence[str]:
    """Return recovery codes in the place of the old ones; MfaOff if there is nothing to recover."""
    if not session.user.mfa_enabled_at:
        raise MfaOff

    def renew(_: User | None = None) -> Sequence[str]:
        user = locked_owner(session)
        if not user.mfa_enabled_at:
            raise MfaOff
        record("recovery_codes.made", user_id=user.pk, session_ids=[session.pk])
        tell_owner(Notice.RECOVERY_CODES_MADE, user=user)
        return new_recovery_codes(user)

    if code:
        return with_code(user=session.user, code=code, address=address, act=renew)
    prove_own_password(session=session, password=password, address=address)
    with transaction.atomic():
        return renew()


def _require_begun(user: User) -> None:
    if user.mfa_enabled_at:
        raise MfaAlreadyOn
    if not SecondFactor.objects.filter(user=user).exists():
        raise MfaNotBegun


def _switch_off(user: User, *, keeping: UUID | None = None, reason: str = "") -> None:
    """Forget a locked person's second factor, confirmed or not, in the caller's transaction."""
    for kept in (SecondFactor, RecoveryCode, LoginChallenge):
        kept.objects.filter(user=user).delete()
    if not user.mfa_enabled_at:
        return
    user.mfa_enabled_at = None
    user.save(update_fields=["mfa_enabled_at"])
    record("mfa.disabled", user_id=user.pk, session_ids=[keeping], reason=reason)
    tell_owner(Notice.SECOND_FACTOR_OFF, user=user)
    end_sessions_of(user.pk, reason="mfa_disabled", but=keeping)
