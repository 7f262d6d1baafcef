"""A password hashed over and over by the library alone, in a process of its own.

Reads a Load from stdin and writes what each took, in seconds, to stdout, both as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from bench.measurements import repeated
from local.services import ROOT

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
    process = subprocess.run(
        [sys.executable, "-m", "bench.hashing"],
        input=json.dumps(asdict(load)).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        timeout=60 + load.seconds,
    )
    taken: list[float] = json.loads(process.stdout)
    return taken


def main() -> None:
    """Run the Load on stdin."""
    load = Load(**json.load(sys.stdin))
    verify = partial(PasswordHasher().verify, load.kept, load.password)
    verify()
    json.dump(repeated(verify, load.seconds), sys.stdout)


if __name__ == "__main__":
    main()
