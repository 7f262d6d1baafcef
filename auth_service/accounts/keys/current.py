"""Which keys sign and verify at this moment, as every process of this service sees it."""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Q
from django.utils import timezone

from accounts.keys.files import SigningKey, root_key
from accounts.keys.sealing import unseal
from accounts.models import StoredKey
from service_kit.jwks import Key, parse_jwks
from service_kit.keys import key_ring
from service_kit.tokens import LEEWAY_SECONDS

# How old a process' view may be.
REREAD_SECONDS: Final = 5.0

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The key that signs, all public JWKs (next, active, retired), and the same to verify with."""

    states: Sequence[tuple[str, str]]
    active: SigningKey
    public: Sequence[Mapping[str, str] | None]
    verifying: Mapping[str, Key]


def retirement() -> timedelta:
    """Return how long after its retirement a key's tokens may still be good."""
    late = 2 * REREAD_SECONDS + 2 * LEEWAY_SECONDS
    return timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + late)


def signing_key() -> SigningKey:
    """Return the key to sign with; asks Postgres every five seconds, and raises if that is away."""
    return root_key() if settings.JWT_SECRET else _view.fresh().active


def published_keys() -> Sequence[Mapping[str, str] | None]:
    """Return the public keys; the last known ones while Postgres is away."""
    return [] if settings.JWT_SECRET else _view.known().public


def trust_own_keys() -> None:
    """Let this process verify what it signs; a shared secret is in the key ring already."""
    if not settings.JWT_SECRET:
        key_ring().hold(lambda: _view.known().verifying)


class _View:
    """The keys as last read. One thread at a time reads again; the others go on with the old."""

    def __init__(self) -> None:
        self._keys: KeySet | None = None
        self._read_at = -inf
        self._reading = threading.Lock()

    def fresh(self) -> KeySet:
        if self._is_old():
            with self._reading:
                if self._is_old():
                    self._read()
        assert self._keys is not None
        return self._keys

    def known(self) -> KeySet:
        if self._keys is None:
            return self.fresh()
        if self._is_old() and self._reading.acquire(blocking=False):
            try:
                self._read()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("keys were not read again: %s", type(error).__name__)
                self._read_at = monotonic()
            finally:
                self._reading.release()
        return self._keys

    def forget(self) -> None:
        self._keys, self._read_at = None, -inf

    def _is_old(self) -> bool:
        return monotonic() - self._read_at > REREAD_SECONDS

    def _read(self) -> None:
        self._keys, self._read_at = _read_keys(self._keys), monotonic()


_view: Final = _View()


def _read_keys(before: KeySet | None) -> KeySet:
    gone = Q(state=StoredKey.RETIRED, retired_at__lt=timezone.now() - retirement())
    rows = list(StoredKey.objects.filter(root=root_key().key_id).exclude(gone).order_by("pk"))
    states = tuple((row.key_id, row.state) for row in rows)
    if before is not None and before.states == states:
        return before
    public = [row.public for row in rows] or [root_key().public]
    verifying = parse_jwks(json.dumps({"keys": public}))
    return KeySet(states, _active(rows), public, verifying)


def _active(rows: Sequence[StoredKey]) -> SigningKey:
    for row in rows:
        if row.state == StoredKey.ACTIVE:
            return unseal(bytes(row.sealed), row.key_id)
    return root_key()
