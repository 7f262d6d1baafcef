"""How passwords are hashed."""

import os
import threading
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

# More would only share the processors, and take its memory each.
_at_once: Final = threading.BoundedSemaphore(os.cpu_count() or 1)


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id at 2.5 times the work of OWASP's floor (19 MiB, two passes, one lane), by libsodium.

    Django's own parameters take 100 MiB and eight lanes for each login at work, and argon2-cffi,
    with which it hashes, half as long again for the same hash. As many are hashed at once as there
    are processors.
    """

    algorithm: str = "argon2"
    memory_cost = 19 * 1024
    time_cost = 5
    parallelism = 1
    # libsodium's salts are 16 bytes, which Django reckons at 95 bits: below this it hashes again.
    salt_entropy = 95

    def encode(self, password: str, salt: str) -> str:  # noqa: ARG002 - libsodium draws its own
        memory = 1024 * self.memory_cost
        with _at_once:
            made = argon2id.str(password.encode(), opslimit=self.time_cost, memlimit=memory)
        return self.algorithm + made.decode()

    def verify(self, password: str, encoded: str) -> bool:
        kept = encoded.removeprefix(self.algorithm).encode()
        with _at_once:
            try:
                return argon2id.verify(kept, password.encode())
            except InvalidkeyError:
                return False
