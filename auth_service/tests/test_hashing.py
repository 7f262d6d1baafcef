"""Passwords are hashed by libsodium, as argon2-cffi would, and as few at once as is good."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.pwhash import argon2id

from accounts import passwords
from accounts.passwords import Argon2Hasher

PROCESSORS = os.cpu_count() or 1
PASSWORD = "over-the-hills-and-far-away"


class Watched:
    """How many are at work at once, at most."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


class Djangos(Argon2PasswordHasher):
    """With the parameters of ours."""

    memory_cost, time_cost, parallelism = 19 * 1024, 5, 1


@pytest.mark.parametrize("hasher", [Djangos(), Argon2PasswordHasher()])
def test_what_argon2_cffi_has_hashed_is_known(hasher):
    """Also with several lanes, as of accounts that came from elsewhere."""
    kept = hasher.encode(PASSWORD, hasher.salt())
    assert Argon2Hasher().verify(PASSWORD, kept)
    assert not Argon2Hasher().verify(PASSWORD + "!", kept)


def test_what_is_hashed_is_known_to_argon2_cffi():
    kept = Argon2Hasher().encode(PASSWORD, "")
    assert PasswordHasher().verify(kept.removeprefix("argon2"), PASSWORD)


def test_each_hash_has_a_salt_of_its_own():
    hasher = Argon2Hasher()
    salts = {hasher.decode(hasher.encode(PASSWORD, "the same"))["salt"] for _ in range(3)}
    assert [len(salt) for salt in salts] == [16] * 3


@pytest.mark.parametrize(
    ("hasher", "is_old"),
    [(Argon2Hasher(), False), (Djangos(), False), (Argon2PasswordHasher(), True)],
)
def test_only_what_was_hashed_with_other_parameters_is_hashed_again(hasher, is_old):
    assert Argon2Hasher().must_update(hasher.encode(PASSWORD, hasher.salt())) is is_old


@pytest.mark.parametrize("password", ["", "\0", "with\0zero", "ü" * 2_000])
def test_every_byte_of_a_password_counts(password):
    hasher = Argon2Hasher()
    kept = hasher.encode(password, "")
    assert hasher.verify(password, kept)
    assert not hasher.verify(password + "\0", kept)


@pytest.mark.parametrize("kept", ["argon2", "argon2$argon2id$v=19$m=19456,t=5,p=1$", "argon2$no"])
def test_what_is_no_hash_is_of_no_password(kept):
    assert not Argon2Hasher().verify(PASSWORD, kept)


@pytest.mark.parametrize("act", ["encode", "verify"])
def test_as_many_are_hashed_at_once_as_there_are_processors(act, monkeypatch):
    watched, name = Watched(), {"encode": "str", "verify": "verify"}[act]
    real = getattr(argon2id, name)

    def watching(*arguments, **named):
        with watched:
            return real(*arguments, **named)

    hasher = Argon2Hasher()
    second = {"encode": "", "verify": hasher.encode(PASSWORD, "")}[act]
    monkeypatch.setattr(passwords.argon2id, name, watching)
    with ThreadPoolExecutor(4 * PROCESSORS) as together:
        work = [together.submit(getattr(hasher, act), PASSWORD, second) for _ in range(20)]
    assert all(each.result() for each in work)
    assert watched.most == PROCESSORS
