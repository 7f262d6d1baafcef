"""Whether an access token is genuine, for us, and still good."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from jwt.algorithms import get_default_algorithms
from nacl.signing import VerifyKey

from service_kit.decoding import decode_object
from service_kit.jwks import MAX_KEYS, Key
from service_kit.keys import key_ring
from service_kit.refusals import Refusal

LEEWAY_SECONDS = 30
MAX_BYTES = 4096
REMEMBERED_SIGNATURES = 1024
REMEMBERED_HEADERS = 16

_ALGORITHMS = get_default_algorithms()
_LATEST = 253_402_300_800  # the year 10000
_TYPES = {"at+jwt", "application/at+jwt"}
_FOREIGN_TYPES = _TYPES | {"jwt", None}
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a genuine token speaks for; its times are in seconds since 1970."""

    user_id: str
    username: str
    name: str
    session_id: str
    token_id: str
    expires_at: int
    issued_at: int = 0


class _NotGenuine(Exception):  # noqa: N818 - never leaves this module
    """Something about the token is wrong; nobody is told what."""


def verify(token: str) -> Claims:
    """Return the claims of a genuine access token for this service (JWT, RFC 7519, RFC 9068).

    Raises Refusal `token_expired` if all that is wrong is its age (30 s of leeway), and
    `not_authenticated` for everything else. Asks neither the network nor a database.
    """
    try:
        claims = _verify(token)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no, and the same no
        raise Refusal("not_authenticated", "The token is not valid.") from None
    if claims.expires_at <= time.time() - LEEWAY_SECONDS:
        raise Refusal("token_expired", "The token has expired.")
    return claims


def _verify(token: str) -> Claims:
    if len(token) > MAX_BYTES or not token.isascii():
        raise _NotGenuine
    header_text, payload_text, signature_text = token.split(".")
    header = _header(header_text)
    payload, signature = _decode(payload_text), _decode(signature_text)
    key = _key_for(header)
    signed = token[: -len(signature_text) - 1].encode()
    _check_signature(key, signed, signature)
    return _claims(decode_object(payload))


@lru_cache(maxsize=REMEMBERED_HEADERS)
def _header(text: str) -> dict[str, Any]:
    """Decode a header, only to be read: remembered, as all tokens of an issuer have the same."""
    return decode_object(_decode(text))


@lru_cache(maxsize=REMEMBERED_SIGNATURES)
def _check_signature(key: Key, signed: bytes, signature: bytes) -> None:
    """Raise unless this key made the signature.

    Remembered, because a token is shown many times and this is most of its cost. Only that: its
    key must still be in the ring, and every claim is looked at each time.
    """
    if key.algorithm == "EdDSA":
        _edwards(key).verify(signed, signature)
    elif not _ALGORITHMS[key.algorithm].verify(signed, key.value, signature):
        raise _NotGenuine


@lru_cache(maxsize=MAX_KEYS)
def _edwards(key: Key) -> VerifyKey:
    """Return an Ed25519 key as libsodium has it, which takes half of OpenSSL's time."""
    assert isinstance(key.value, Ed25519PublicKey)
    return VerifyKey(key.value.public_bytes_raw())


def _decode(text: str) -> bytes:
    """Decode base64url in its one canonical form: no padding, no stray bits or characters."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise _NotGenuine
    return data


def _key_for(header: dict[str, Any]) -> Key:
    kid, kind = header.get("kid"), header.get("typ")
    if "crit" in header or not isinstance(kid, (str, type(None))):
        raise _NotGenuine
    ring = key_ring()
    # A fixed key may belong to an issuer that knows nothing of RFC 9068.
    types = _TYPES if ring.only is None else _FOREIGN_TYPES
    if (kind.lower() if isinstance(kind, str) else kind) not in types:
        raise _NotGenuine
    key = ring.find(kid)
    # The key decides about the algorithm; the header may only agree.
    if key is None or header.get("alg") != key.algorithm:
        raise _NotGenuine
    return key


def _claims(payload: dict[str, Any]) -> Claims:
    _check_addressee(payload)
    now = time.time()
    issued_at, expires_at = _moment(payload["iat"]), _moment(payload["exp"])
    not_before = _moment(payload.get("nbf", issued_at))
    if max(issued_at, not_before) > now + LEEWAY_SECONDS or expires_at < issued_at:
        raise _NotGenuine
    user_id = _text(payload["sub"])
    if _text(payload["user_id"]) != user_id or payload["token_type"] != "access":  # noqa: S105
        raise _NotGenuine
    return Claims(
        user_id=user_id,
        username=_text(payload["username"]),
        name=_text(payload["name"], may_be_empty=True),
        session_id=_text(payload["sid"]),
        token_id=_text(payload["jti"]),
        expires_at=int(expires_at),
        issued_at=int(issued_at),
    )


def _check_addressee(payload: dict[str, Any]) -> None:
    audience = payload["aud"]
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise _NotGenuine
    if _setting("JWT_AUDIENCE") not in named or payload["iss"] != _setting("JWT_ISSUER"):
        raise _NotGenuine


def _setting(name: str) -> str:
    value = getattr(settings, name)
    if not isinstance(value, str) or not value:
        raise _NotGenuine
    return value


def _moment(value: object) -> float:
    if type(value) not in {int, float} or not 0 < value < _LATEST:  # type: ignore[operator]
        raise _NotGenuine
    return value  # type: ignore[return-value]


def _text(value: object, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not (value or may_be_empty):
        raise _NotGenuine
    return value
