"""Real access tokens for the load clients, signed as auth_service signs them."""

from __future__ import annotations

from django.conf import settings

settings.configure(JWT_ISSUER="parley", JWT_AUDIENCE="messaging_service", USE_TZ=True)

from service_kit.testing import public_key_pem, token_for  # noqa: E402 - it reads settings.

__all__ = ["public_key_pem", "token_of"]


def token_of(user: str) -> str:
    """Return a token that outlasts the benchmark."""
    return token_for(user, username=user, name=user, expires_in=3600)
