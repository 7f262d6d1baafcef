"""How passwords are hashed."""

import os
import threading
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher

# More would only share the processors, and take its memory each.
_at_once: Final = threading.BoundedSemaphore(os.cpu_count() or 1)


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id at 2.5 times the work of OWASP's floor (19 MiB, two passes, one lane).

    Django's own parameters take 100 MiB and eight lanes for each login at work. As many are hashed
    at once as there are processors, with one lane and 19 MiB each.
    """

    memory_cost = 19 * 1024
    time_cost = 5
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _at_once:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _at_once:
            return super().verify(password, encoded)
