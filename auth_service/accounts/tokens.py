"""The two tokens of a session: a signed one that is shown, and an opaque one that renews it."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import AccessToken

from accounts.keys.current import signing_key
from accounts.models import Session, User

REFRESH_TOKEN = re.compile(r"([0-9a-f]{32})\.[A-Za-z0-9_-]{43}", re.ASCII)
SECRET_BYTES = 32


class SigningBackend(TokenBackend):
    """Signs with the service's key, naming it and the token's kind in the header (RFC 9068)."""

    def encode(self, payload: dict[str, Any]) -> str:
        key = signing_key()
        header = {"kid": key.key_id, "typ": "at+jwt"}
        return jwt.encode(payload, key.private, algorithm=key.algorithm, headers=header)


class SessionAccessToken(AccessToken):
    """What both services accept for `settings.ACCESS_TOKEN_SECONDS`."""

    @property
    def token_backend(self) -> TokenBackend:
        return SigningBackend(signing_key().algorithm)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`text` is the client's alone; the session keeps `digest`, its SHA-256."""

    session_id: UUID
    text: str

    @property
    def digest(self) -> bytes:
        return sha256(self.text.encode()).digest()


def access_token(*, user: User, session: Session) -> str:
    token = SessionAccessToken()
    user_id = str(user.pk)
    token.payload |= {
        "iss": settings.JWT_ISSUER,
        "aud": settings.TOKEN_AUDIENCES,
        "sub": user_id,
        "user_id": user_id,
        "username": user.username,
        "name": user.display_name,
        "sid": str(session.pk),
        "nbf": token.payload["iat"],
    }
    return str(token)


def new_refresh_token(session_id: UUID) -> RefreshToken:
    return RefreshToken(session_id, f"{session_id.hex}.{token_urlsafe(SECRET_BYTES)}")


def successor_of(token: RefreshToken, salt: bytes) -> RefreshToken:
    """Return the one token that follows this one, the same each time.

    Nobody can name it who has not the token, the session's salt and this service's SECRET_KEY:
    neither who copied the database, nor who copied the token.
    """
    value = salt.hex() + token.text
    secret = salted_hmac("accounts.tokens.successor_of", value, algorithm="sha256").digest()
    text = urlsafe_b64encode(secret).rstrip(b"=").decode()
    return RefreshToken(token.session_id, f"{token.session_id.hex}.{text}")


def read_refresh_token(text: str) -> RefreshToken | None:
    """Return the token a text spells, or None if it cannot have come from us."""
    match = REFRESH_TOKEN.fullmatch(text)
    return RefreshToken(UUID(match[1]), text) if match else None
