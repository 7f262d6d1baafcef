"""The key that signs tokens, together with what the world may know of it."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from service_kit.jwks import Key
from service_kit.keys import key_ring

SMALLEST_RSA_BITS = 3072


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`public` is the key's JWK, or None for a shared secret, which has no public half."""

    key_id: str
    algorithm: str
    private: Ed25519PrivateKey | RSAPrivateKey | str
    public: Mapping[str, str] | None


@cache
def signing_key() -> SigningKey:
    """Return the key named by the settings; ImproperlyConfigured if it cannot sign."""
    if settings.JWT_SECRET:
        return SigningKey("secret", settings.JWT_ALGORITHM, settings.JWT_SECRET, None)
    private = _load(Path(settings.JWT_PRIVATE_KEY_FILE))
    algorithm, jwk = _describe(private)
    key_id = thumbprint(jwk)
    public = {**jwk, "use": "sig", "alg": algorithm, "kid": key_id}
    return SigningKey(key_id, algorithm, private, public)


def trust_own_key() -> None:
    """Let this process verify what it signs; a shared secret is in the key ring already."""
    key = signing_key()
    if not isinstance(key.private, str):
        key_ring().hold({key.key_id: Key(key.algorithm, key.private.public_key())})


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a public JWK (RFC 7638, RFC 8037 for Ed25519)."""
    required = {"OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in required}, separators=(",", ":"))
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()


def _load(path: Path) -> Ed25519PrivateKey | RSAPrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"JWT_PRIVATE_KEY_FILE {path}: {error}") from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST_RSA_BITS:
        return key
    raise ImproperlyConfigured(
        f"JWT_PRIVATE_KEY_FILE {path}: an Ed25519 key, or RSA of {SMALLEST_RSA_BITS} bits or more"
    )


def _describe(private: Ed25519PrivateKey | RSAPrivateKey) -> tuple[str, dict[str, str]]:
    if isinstance(private, Ed25519PrivateKey):
        jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        return "EdDSA", {name: jwk[name] for name in ("kty", "crv", "x")}
    jwk = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return "RS256", {name: jwk[name] for name in ("kty", "n", "e")}
