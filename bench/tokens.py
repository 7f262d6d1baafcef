"""Real access tokens for the load clients, signed as auth_service signs them."""

from __future__ import annotations

from django.conf import settings

settings.configure(
    JWT_ISSUER="parley",
    JWT_AUDIENCE="messaging_service",
    JWT_PUBLIC_KEY="",
    JWT_SECRET="",
    JWKS_URL="",
    JWKS_CACHE_FILE="",
    USE_TZ=True,
)

from service_kit.testing import (  # noqa: E402 - it reads settings.
    install_test_keys,
    public_key_pem,
    token_for,
)
from service_kit.tokens import verify  # noqa: E402 - as above.

__all__ = ["install_test_keys", "public_key_pem", "token_of", "verify"]


def token_of(user: str) -> str:
    """Return a token that outlasts the benchmark."""
    return token_for(user, username=user, name=user, expires_in=3600)
