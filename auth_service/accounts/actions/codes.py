"""Codes that are mailed: made when the mail is sent, kept as hashes, good once and for an hour."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from secrets import choice, token_urlsafe
from typing import Final

from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.errors import WrongCode
from accounts.models import MailCode, User
from accounts.permissions import locked_user

LIFE: Final = timedelta(hours=1)
# None that is taken for another: 30 of them, eight times, are 39 bits.
LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8
TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NewCode:
    """`text` is to be typed, `token` to stand in a link: each does the same."""

    text: str
    token: str


def new_code(*, user: User, purpose: str) -> NewCode:
    """Make another code for a purpose of MailCode; earlier ones hold until their own end."""
    text = "".join(choice(LETTERS) for _ in range(LENGTH))
    token = token_urlsafe(TOKEN_BYTES)
    now = timezone.now()
    MailCode.objects.filter(expires_at__lt=now).delete()
    MailCode.objects.create(
        user=user,
        purpose=purpose,
        code_hash=_hash_of_text(user.pk, text),
        token_hash=_hash_of_token(token),
        expires_at=now + LIFE,
    )
    return NewCode(f"{text[:4]}-{text[4:]}", token)


def use_code(*, user_id: int | None, purpose: str, text: str) -> User:
    """Return the locked active person whose code it is, and void all theirs for the purpose.

    Raises WrongCode, for nobody too. In the caller's transaction: what it does with the person is
    done once, or rolled back with the code.
    """
    plain = text.upper().replace("-", "").replace(" ", "")
    return _use(user_id, purpose, code_hash=_hash_of_text(user_id or 0, plain))


def use_token(*, purpose: str, token: str) -> User:
    """Do the same with the token of a link, which says by itself whose it is."""
    held = MailCode.objects.filter(token_hash=_hash_of_token(token)).first()
    return _use(held.user_id if held else None, purpose, token_hash=_hash_of_token(token))


def void_codes(*, user: User, purpose: str) -> None:
    """Let no code of a person's be used any more for a purpose, in the caller's transaction."""
    MailCode.objects.filter(user=user, purpose=purpose).delete()


def _use(user_id: int | None, purpose: str, **wanted: bytes) -> User:
    user = locked_user(user_id=user_id or 0)
    codes = MailCode.objects.filter(user_id=user_id or 0, purpose=purpose)
    is_right = codes.filter(expires_at__gte=timezone.now(), **wanted).exists()
    if user is None or not user.is_active or not is_right:
        raise WrongCode
    codes.delete()
    return user


def _hash_of_text(user_id: int, text: str) -> bytes:
    # Keyed: 39 bits are few for whoever copied the table.
    return salted_hmac("accounts.codes", f"{user_id} {text}", algorithm="sha256").digest()


def _hash_of_token(token: str) -> bytes:
    return sha256(token.encode()).digest()
