"""A password hashed over and over by the library alone, in a process of its own.

Reads a Load from stdin and writes what each took, in seconds, to stdout, both as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from nacl.pwhash import argon2id

from bench.apart import run_apart
from bench.measurements import repeated

if TYPE_CHECKING:
    from collections.abc import Callable

ARGON2_CFFI = "argon2-cffi"
LIBSODIUM = "libsodium"


@dataclass(frozen=True, kw_only=True)
class Load:
    """The hash that is kept names its own parameters; `library` is ARGON2_CFFI or LIBSODIUM."""

    library: str
    kept: str
    password: str
    seconds: float


def hashed(load: Load) -> list[float]:
    """Run a load in a process of its own."""
    taken: list[float] = run_apart("bench.hashing", load, timeout=60 + load.seconds)
    return taken


def main() -> None:
    """Run the Load on stdin."""
    load = Load(**json.load(sys.stdin))
    ways: dict[str, Callable[[], bool]] = {
        ARGON2_CFFI: partial(PasswordHasher().verify, load.kept, load.password),
        LIBSODIUM: partial(argon2id.verify, load.kept.encode(), load.password.encode()),
    }
    verify = ways[load.library]
    verify()
    json.dump(repeated(verify, load.seconds), sys.stdout)


if __name__ == "__main__":
    main()
