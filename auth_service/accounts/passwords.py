"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id at 2.5 times the work of OWASP's floor (19 MiB, two passes, one lane).

    Django's own parameters take 100 MiB and eight lanes for each login at work: eight request
    threads would hold 800 MiB. These hold 152 MiB.
    """

    memory_cost = 19 * 1024
    time_cost = 5
    parallelism = 1
