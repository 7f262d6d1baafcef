import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

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


@pytest.mark.parametrize("act", ["encode", "verify"])
def test_as_many_are_hashed_at_once_as_there_are_processors(act, monkeypatch):
    watched, real = Watched(), getattr(Argon2PasswordHasher, act)

    def watching(*arguments):
        with watched:
            return real(*arguments)

    hasher = Argon2Hasher()
    second = {"encode": "some salt", "verify": hasher.encode(PASSWORD, "some salt")}[act]
    monkeypatch.setattr(Argon2PasswordHasher, act, watching)
    with ThreadPoolExecutor(4 * PROCESSORS) as together:
        work = [together.submit(getattr(hasher, act), PASSWORD, second) for _ in range(20)]
    assert all(each.result() for each in work)
    assert watched.most == PROCESSORS
