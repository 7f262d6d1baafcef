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

from bench.apart import run_apart
from bench.measurements import repeated

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Load:
    """The hash that is kept names its own parameters."""

    kept: str
    password: str
    seconds: float


def hashed(load: Load, environment: Mapping[str, str]) -> list[float]:
    """Run a load in a process with this environment beside our own."""
    taken: list[float] = run_apart(
        "bench.hashing", load, timeout=60 + load.seconds, environment=environment
    )
    return taken


def main() -> None:
    """Run the Load on stdin."""
    load = Load(**json.load(sys.stdin))
    verify = partial(PasswordHasher().verify, load.kept, load.password)
    verify()
    json.dump(repeated(verify, load.seconds), sys.stdout)


if __name__ == "__main__":
    main()
