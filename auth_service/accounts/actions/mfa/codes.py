"""Codes of a second factor: of an authenticator, or for its recovery; each works once.

Six digits could be guessed, so those tries are few a day: from one place, and from all places
together where the account was not used since. Recovery codes are too long to be guessed: with one,
whoever is kept waiting by others comes in.
"""

import logging
from base64 import b32encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from secrets import token_bytes
from time import time
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import transaction

from accounts import totp
from accounts.actions.attempts import Bucket, count, counting_failures, guesses_from
from accounts.actions.audit import record
from accounts.actions.mails import tell_owner
from accounts.errors import TooManyTries, WrongCode
from accounts.keys.sealing import unseal_second_factor
from accounts.letters import Notice
from accounts.models import RecoveryCode, SecondFactor, Session, User
from accounts.permissions import locked_user
from service_kit.addresses import network_of

DAY: Final = 24 * 3600
RECOVERY_CODES: Final = 10
# 80 bits: 16 letters and digits, in groups of four.
RECOVERY_CODE_BYTES: Final = 10
GROUP: Final = 4

Done = TypeVar("Done")

logger: Final = logging.getLogger(__name__)


def with_code(*, user: User, code: str, address: str, act: Callable[[User], Done]) -> Done:
    """Use up a person's code and act on the locked person, in one transaction.

    WrongCode is counted, and nothing is done; nor is the code used up if `act` raises.
    """
    shown = code.upper().replace("-", "").replace(" ", "")
    with _warning(user), counting_failures(_guesses(user, shown, address)):
        with transaction.atomic():
            locked = locked_user(user_id=user.pk)
            if locked is not None and locked.is_active and _use(locked, shown):
                return act(locked)
        record("code.refused", user_id=user.pk)
        raise WrongCode


@contextmanager
def _warning(user: User) -> Iterator[None]:
    """Tell the owner, once a day, that somebody knows the password and guessed too often."""
    try:
        yield
    except TooManyTries:
        with suppress(TooManyTries), transaction.atomic():
            count([Bucket(f"warned of guesses {user.pk}", 1, DAY)])
            record("code.guessed", user_id=user.pk)
            tell_owner(Notice.CODES_GUESSED, user=user)
        raise


def new_recovery_codes(user: User) -> Sequence[str]:
    """Put others in the place of a locked person's, in the caller's transaction."""
    codes = [b32encode(token_bytes(RECOVERY_CODE_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_hash(code)) for code in codes
    )
    return [_in_groups(code.lower()) for code in codes]


def _guesses(user: User, shown: str, address: str) -> Sequence[Bucket]:
    """Return what a wrong code counts against."""
    place, most = network_of(address), settings.LIMITS["CODES_PER_DAY"]
    buckets = guesses_from(address=address)
    if totp.is_code(shown):
        buckets.append(Bucket(f"second factor {place} {user.pk}", most, DAY))
        if not _was_here(user, address):
            buckets.append(Bucket(f"second factor by strangers {user.pk}", most, DAY))
    return buckets


def _was_here(user: User, address: str) -> bool:
    """Say whether a session was used from there that has shown the second factor."""
    since = user.mfa_enabled_at
    here = Session.objects.filter(user=user, address=address or None)
    return since is not None and here.filter(last_used_at__gte=since).exists()


def _use(user: User, shown: str) -> bool:
    return _use_totp(user, shown) if totp.is_code(shown) else _use_recovery_code(user, shown)


def _use_totp(user: User, shown: str) -> bool:
    factor = SecondFactor.objects.filter(user=user).first()
    secret = _secret_of(factor) if factor else None
    if factor is None or secret is None:
        return False
    step = totp.step_of(secret, shown, at=time(), after=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    factor.save(update_fields=["last_step"])
    return True


def _secret_of(factor: SecondFactor) -> bytes | None:
    """Return None for what was sealed under another root key; recovery codes outlive that."""
    try:
        return unseal_second_factor(bytes(factor.sealed), user_id=factor.user_id)
    except InvalidTag:
        logger.exception("a second factor was sealed under another root key")
        return None


def _use_recovery_code(user: User, shown: str) -> bool:
    held = RecoveryCode.objects.filter(user=user, code_hash=_hash(shown))
    used, _ = held.delete()
    if used:
        record("recovery_code.used", user_id=user.pk)
        tell_owner(Notice.RECOVERY_CODE_USED, user=user)
    return bool(used)


def _hash(code: str) -> bytes:
    return sha256(code.encode()).digest()


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
