"""The keys tokens are verified with, kept fresh without any request waiting for it."""

import logging
import math
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from service_kit.fetching import MAX_BYTES, fetch
from service_kit.jwks import Key, is_sound, parse_jwks

REFRESH_SECONDS = 300.0
COOLDOWN_SECONDS = 30.0
FIRST_RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class KeyRing:
    """Verification keys by `kid`, from one of three places.

    - `url`: a key set fetched by a background thread, every 300 s and when an unknown kid turns
      up, at most once in 30 s; kept in memory and in `cache_file`; a failure keeps what there is.
    - `only`: one fixed key, whatever kid a token names.
    - `hold(keys)`: keys handed over by the program itself, or looked up each time.
    """

    def __init__(
        self, *, url: str = "", cache_file: Path | None = None, only: Key | None = None
    ) -> None:
        self.only = only
        self._url = url
        self._cache_file = cache_file
        self._keys: Mapping[str, Key] = {}
        self._known: Callable[[], Mapping[str, Key]] = self._loaded
        self._fetched_at = -math.inf
        self._forget_thread()
        forget = weakref.WeakMethod(self._forget_thread)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    @property
    def is_empty(self) -> bool:
        """No token can be verified yet."""
        return self.only is None and not self._known()

    def find(self, kid: str | None) -> Key | None:
        """Return the key a token names, or None; never waits. An unknown kid asks for a refresh."""
        if self.only is not None:
            return self.only
        key = None if kid is None else self._known().get(kid)
        if self._thread is None and self._url:
            self._start_thread()
        if key is None and kid is not None:
            self._wanted.set()
        return key

    def start(self) -> None:
        """Load the keys before serving: from disk, or else by one fetch of three seconds at most.

        Failing is no error: the thread goes on trying, sooner while the ring is empty.
        """
        if not self._url:
            return
        self._load_from_disk()
        if self.is_empty:
            self.refresh()
        self._start_thread()

    def hold(self, keys: Mapping[str, Key] | Callable[[], Mapping[str, Key]]) -> None:
        """Trust exactly these keys from now on, or what this returns, and never fetch again."""
        self._url = ""
        self.only = None
        if callable(keys):
            self._known = keys
        else:
            self._keys, self._known = dict(keys), self._loaded

    def refresh(self) -> None:
        """Fetch the key set once, keeping the old one if anything is wrong with the new."""
        self._fetched_at = time.monotonic()
        try:
            data = fetch(self._url)
            keys = parse_jwks(data)
        except Exception as error:  # noqa: BLE001 - whatever it sent, the old keys stay
            logger.warning("keys were not refreshed: %s", type(error).__name__)
            return
        # hold() may have been called while the answer was on its way.
        if self._url:
            self._keys = keys
            self._save_to_disk(data)

    def _loaded(self) -> Mapping[str, Key]:
        return self._keys

    def _forget_thread(self) -> None:
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._starting = threading.Lock()

    def _start_thread(self) -> None:
        with self._starting:
            if self._thread is None and self._url:
                self._thread = threading.Thread(target=self._run, name="key-ring", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        if self.is_empty:
            self._load_from_disk()
        retry = 0.0 if self._fetched_at == -math.inf else FIRST_RETRY_SECONDS
        while self._url:
            if self.is_empty:
                time.sleep(retry)
                retry = min(2 * retry or FIRST_RETRY_SECONDS, COOLDOWN_SECONDS)
            else:
                self._wanted.wait(self._fetched_at + REFRESH_SECONDS - time.monotonic())
                time.sleep(max(0.0, self._fetched_at + COOLDOWN_SECONDS - time.monotonic()))
            self._wanted.clear()
            if self._url:
                self.refresh()

    def _load_from_disk(self) -> None:
        if self._cache_file is None:
            return
        try:
            with self._cache_file.open("rb") as file:
                self._keys = parse_jwks(file.read(MAX_BYTES + 1))
        except FileNotFoundError:
            return
        except Exception as error:  # noqa: BLE001 - a bad file is as good as none
            logger.warning("the saved keys are not usable: %s", type(error).__name__)

    def _save_to_disk(self, data: bytes) -> None:
        if self._cache_file is None:
            return
        try:
            self._cache_file.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp makes the file 0600, and a rename shows readers the old or the new, whole.
            descriptor, name = tempfile.mkstemp(dir=self._cache_file.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(self._cache_file)
        except OSError as error:
            logger.warning("the keys were not saved: %s", type(error).__name__)


@cache
def key_ring() -> KeyRing:
    """Return this process's ring, made from the settings JWT_*, JWKS_URL and JWKS_CACHE_FILE."""
    only = _fixed_key()
    cache_file = getattr(settings, "JWKS_CACHE_FILE", "")
    return KeyRing(
        url="" if only else getattr(settings, "JWKS_URL", ""),
        cache_file=Path(cache_file) if cache_file else None,
        only=only,
    )


def check_keys() -> None:
    """Raise unless there is a key to verify tokens with; a check for health.ready."""
    if key_ring().is_empty:
        raise ImproperlyConfigured("no verification key has been loaded yet")


def _fixed_key() -> Key | None:
    algorithm = getattr(settings, "JWT_ALGORITHM", "EdDSA")
    if secret := getattr(settings, "JWT_SECRET", ""):
        return _shared_secret(algorithm, secret)
    if pem := getattr(settings, "JWT_PUBLIC_KEY", ""):
        return _public_key(algorithm, pem)
    return None


def _shared_secret(algorithm: str, secret: str) -> Key:
    # A public key taken for a secret would let anyone sign.
    if algorithm not in {"HS256", "HS384", "HS512"} or "-----BEGIN" in secret:
        raise ImproperlyConfigured("JWT_SECRET needs JWT_ALGORITHM HS256, HS384 or HS512")
    return Key(algorithm, secret.encode())


def _public_key(algorithm: str, pem: str) -> Key:
    try:
        value = load_pem_public_key(pem.encode())
    except ValueError:
        raise ImproperlyConfigured("JWT_PUBLIC_KEY is not a public key in PEM") from None
    if not is_sound(algorithm, value):
        raise ImproperlyConfigured(f"JWT_PUBLIC_KEY is not a sound key for {algorithm}")
    return Key(algorithm, value)  # type: ignore[arg-type]
