"""Secrets of one local system: made on its first start, kept readable by their owner alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from pathlib import Path


RSA_BITS = 3072


def _secret() -> str:
    return secrets.token_urlsafe(48)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """One for each lock. Never printed, never on a command line."""

    postgres: str = field(default_factory=_secret, repr=False)
    redis: str = field(default_factory=_secret, repr=False)
    auth_database: str = field(default_factory=_secret, repr=False)
    messaging_database: str = field(default_factory=_secret, repr=False)
    auth_django: str = field(default_factory=_secret, repr=False)
    messaging_django: str = field(default_factory=_secret, repr=False)
    between_services: str = field(default_factory=_secret, repr=False)


def load_secrets(file: Path) -> Secrets:
    """Read them, making those that are missing: a newer version may need more than an older one."""
    known = json.loads(file.read_text()) if file.exists() else {}
    names = {each.name for each in fields(Secrets)}
    loaded = Secrets(**{name: value for name, value in known.items() if name in names})
    if asdict(loaded) != known:
        write_privately(file, json.dumps(asdict(loaded), indent=2).encode())
    return loaded


def ensure_private_key(file: Path, *, algorithm: str = "") -> None:
    """Make the key that signs access tokens, unless there is one: for RS256, or else for EdDSA."""
    if file.exists():
        return
    is_rsa = algorithm == "RS256"
    key = generate_private_key(65537, RSA_BITS) if is_rsa else Ed25519PrivateKey.generate()
    write_privately(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_privately(file: Path, content: bytes) -> None:
    """Write all of it or nothing, and never readable by others, not even for a moment."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.rename(file)
