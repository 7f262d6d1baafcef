"""Real tokens for tests, signed with a key of this process: nobody has to mock verification."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from service_kit.jwks import Key
from service_kit.keys import key_ring

KID = "test"
AUDIENCE = ("auth_service", "messaging_service")


@cache
def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def install_test_keys() -> None:
    """Put the test key, and nothing else, in this process's ring; call it in conftest.py."""
    key_ring().hold({KID: Key("EdDSA", _key().public_key())})


def public_key_pem() -> str:
    """Return the test key's public half, as JWT_PUBLIC_KEY of a process under test."""
    pem = _key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def token_for(
    user_id: object,
    *,
    username: str | None = None,
    name: str | None = None,
    session_id: str | None = None,
    audience: str | Sequence[str] = AUDIENCE,
    expires_in: float = 300,
    **overrides: Any,  # noqa: ANN401 - any claim
) -> str:
    """Sign an access token as auth_service does; `expires_in` is in seconds.

    `overrides` set any other claim; one set to None is left out.
    """
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": getattr(settings, "JWT_ISSUER", "parley"),
        "aud": audience if isinstance(audience, str) else list(audience),
        "sub": str(user_id),
        "user_id": str(user_id),
        "username": username or f"user{user_id}",
        "name": name or username or f"user{user_id}",
        "sid": session_id or f"session-{user_id}",
        "jti": uuid4().hex,
        "token_type": "access",
        "iat": now + min(0, int(expires_in)),
        "nbf": now + min(0, int(expires_in)),
        "exp": now + int(expires_in),
    } | overrides
    return sign({claim: value for claim, value in claims.items() if value is not None})


def sign(
    claims: Mapping[str, Any],
    *,
    headers: Mapping[str, Any] | None = None,
    key: Any = None,  # noqa: ANN401 - any key PyJWT takes
    algorithm: str = "EdDSA",
) -> str:
    """Sign any claims under any header: for tests of what must be refused."""
    header = {"kid": KID, "typ": "at+jwt"} | dict(headers or {})
    return jwt.encode(dict(claims), key or _key(), algorithm=algorithm, headers=header)
