"""A key pair, what the world may know of it, and the one in the file of the settings."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

SMALLEST_RSA_BITS = 3072
MAKERS: Mapping[str, Callable[[], "PrivateKey"]] = {
    "EdDSA": Ed25519PrivateKey.generate,
    "RS256": lambda: generate_private_key(65537, SMALLEST_RSA_BITS),
}


PrivateKey = Ed25519PrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`public` is the key's JWK, or None for a shared secret, which has no public half."""

    key_id: str
    algorithm: str
    private: PrivateKey | str
    public: Mapping[str, str] | None


@cache
def root_key() -> SigningKey:
    """Return the key the settings name; ImproperlyConfigured if it cannot sign.

    It signs until others have been made, and seals those (`sealing`).
    """
    if settings.JWT_SECRET:
        return SigningKey("secret", settings.JWT_ALGORITHM, settings.JWT_SECRET, None)
    return described(_load(Path(settings.JWT_PRIVATE_KEY_FILE)))


def described(private: PrivateKey) -> SigningKey:
    """Return the key with its name, which is its thumbprint, and its public half."""
    algorithm, jwk = _describe(private)
    key_id = thumbprint(jwk)
    public = {**jwk, "use": "sig", "alg": algorithm, "kid": key_id}
    return SigningKey(key_id, algorithm, private, public)


def new_key(algorithm: str) -> SigningKey:
    """Make a key pair for EdDSA or RS256; KeyError for anything else."""
    return described(MAKERS[algorithm]())


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a public JWK (RFC 7638, RFC 8037 for Ed25519)."""
    required = {"OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in required}, separators=(",", ":"))
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()


def _load(path: Path) -> PrivateKey:
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


def _describe(private: PrivateKey) -> tuple[str, dict[str, str]]:
    if isinstance(private, Ed25519PrivateKey):
        jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        return "EdDSA", {name: jwk[name] for name in ("kty", "crv", "x")}
    jwk = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return "RS256", {name: jwk[name] for name in ("kty", "n", "e")}
