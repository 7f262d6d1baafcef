"""Private keys as they may lie in the database: of no use without the root key, which does not."""

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


def seal(key: SigningKey) -> bytes:
    """Encrypt the private half under the root key."""
    assert not isinstance(key.private, str)
    nonce = token_bytes(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, _plain(key.private), key.key_id.encode())


def unseal(sealed: bytes, key_id: str) -> SigningKey:
    """Return what was sealed; InvalidTag if it is another key or was tampered with."""
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    private = load_der_private_key(_cipher().decrypt(nonce, text, key_id.encode()), password=None)
    return described(private)  # type: ignore[arg-type]


def _cipher() -> AESGCM:
    root = root_key().private
    assert not isinstance(root, str)
    derived = HKDF(SHA256(), length=32, salt=None, info=b"parley: sealing of signing keys")
    return AESGCM(derived.derive(_plain(root)))


def _plain(private: PrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
