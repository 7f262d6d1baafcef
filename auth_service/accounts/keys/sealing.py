"""Secrets as they may lie in the database: of no use without the root key, which does not."""

from secrets import token_bytes
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from accounts.keys.files import PrivateKey, SigningKey, described, root_key

NONCE_BYTES: Final = 12
_OF_KEYS: Final = b"parley: sealing of signing keys"
_OF_SECOND_FACTORS: Final = b"parley: sealing of second factors"


def seal(key: SigningKey) -> bytes:
    """Encrypt the private half under the root key."""
    assert not isinstance(key.private, str)
    return _seal(_plain(key.private), _OF_KEYS, key.key_id)


def unseal(sealed: bytes, key_id: str) -> SigningKey:
    """Return what was sealed; InvalidTag if it is another key or was tampered with."""
    private = load_der_private_key(_unseal(sealed, _OF_KEYS, key_id), password=None)
    return described(private)  # type: ignore[arg-type]


def seal_second_factor(secret: bytes, *, user_id: int) -> bytes:
    return _seal(secret, _OF_SECOND_FACTORS, str(user_id))


def unseal_second_factor(sealed: bytes, *, user_id: int) -> bytes:
    """Return what was sealed; InvalidTag if it is somebody else's or was under another root key."""
    return _unseal(sealed, _OF_SECOND_FACTORS, str(user_id))


def _seal(plain: bytes, purpose: bytes, name: str) -> bytes:
    nonce = token_bytes(NONCE_BYTES)
    return nonce + _cipher(purpose).encrypt(nonce, plain, name.encode())


def _unseal(sealed: bytes, purpose: bytes, name: str) -> bytes:
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return _cipher(purpose).decrypt(nonce, text, name.encode())


def _cipher(purpose: bytes) -> AESGCM:
    root = root_key().private
    material = root.encode() if isinstance(root, str) else _plain(root)
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=purpose).derive(material))


def _plain(private: PrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
