"""Public keys as JSON (RFC 7517): reading a key set."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK

from service_kit.decoding import decode_object

MAX_KEYS = 32
MIN_RSA_BITS = 2048

PublicKey = Ed25519PublicKey | RSAPublicKey | EllipticCurvePublicKey

_DEFAULT_ALGORITHMS = {"OKP": "EdDSA", "RSA": "RS256", "EC": "ES256"}


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A key bound to the one algorithm it verifies; bytes for a shared secret."""

    algorithm: str
    value: PublicKey | bytes


def parse_jwks(data: bytes | str) -> dict[str, Key]:
    """Read a key set as {kid: Key}, leaving out every key that is not a sound signing key.

    Raises ValueError or Refusal for what is not a key set, or has no usable key.
    """
    listed = decode_object(data).get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("not a key set")
    keys = {jwk["kid"]: key for jwk in listed if (key := _parse(jwk)) is not None}
    if not keys:
        raise ValueError("a key set without a usable key")
    return keys


def _parse(jwk: Any) -> Key | None:  # noqa: ANN401 - anything may be published
    if not isinstance(jwk, dict) or jwk.get("use") != "sig":
        return None
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        return None
    algorithm = str(jwk.get("alg") or _DEFAULT_ALGORITHMS.get(str(jwk.get("kty"))))
    # Only the public members are looked at, whatever else was published.
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    try:
        value = PyJWK(public, algorithm=algorithm).key
    except Exception:  # noqa: BLE001 - a key that cannot be read is no key
        return None
    return Key(algorithm, value) if is_sound(algorithm, value) else None


def is_sound(algorithm: object, value: object) -> bool:
    """Tell whether a public key is of the kind, and the strength, its algorithm wants."""
    match algorithm:
        case "EdDSA":
            return isinstance(value, Ed25519PublicKey)
        case "RS256" | "RS384" | "RS512" | "PS256":
            return isinstance(value, RSAPublicKey) and value.key_size >= MIN_RSA_BITS
        case "ES256":
            return isinstance(value, EllipticCurvePublicKey) and isinstance(value.curve, SECP256R1)
        case "ES384":
            return isinstance(value, EllipticCurvePublicKey) and isinstance(value.curve, SECP384R1)
    return False
