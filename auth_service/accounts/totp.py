"""Codes of authenticators (RFC 6238), as every app for them makes them."""

import re
from base64 import b32encode
from secrets import token_bytes
from typing import Final

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER: Final = "Parley"
DIGITS: Final = 6
STEP_SECONDS: Final = 30
# How many steps a clock may be off, either way.
SKEW: Final = 1
# As long as what SHA-1 makes (RFC 4226, section 4).
SECRET_BYTES: Final = 20
# Pixels for each of its dots.
QR_SCALE: Final = 4

_CODE: Final = re.compile(rf"[0-9]{{{DIGITS}}}", re.ASCII)


def new_secret() -> bytes:
    return token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return what can be typed into an authenticator."""
    return b32encode(secret).decode()


def otpauth_url(secret: bytes, *, username: str) -> str:
    """Return what a QR code for an authenticator says."""
    return _totp(secret).get_provisioning_uri(username, ISSUER)


def qr_code(url: str) -> str:
    """Return the picture an authenticator photographs, as the address of an image (RFC 2397)."""
    return segno.make_qr(url).svg_data_uri(scale=QR_SCALE)


def is_code(text: str) -> bool:
    """Say whether a text has the form of an authenticator's code."""
    return _CODE.fullmatch(text) is not None


def step_of(secret: bytes, code: str, *, at: float, after: int | None) -> int | None:
    """Return the step near a time whose code this is, or None; steps up to `after` do not count."""
    now = int(at) // STEP_SECONDS
    for step in range(now - SKEW, now + SKEW + 1):
        if (after is None or step > after) and _is_of(secret, code, step):
            return step
    return None


def _is_of(secret: bytes, code: str, step: int) -> bool:
    try:
        _totp(secret).verify(code.encode(), step * STEP_SECONDS)
    except InvalidToken:
        return False
    return True


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what authenticators know
