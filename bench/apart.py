"""Load clients run apart: each in a process of its own, told and answering in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance


def run_apart(
    module: str,
    load: DataclassInstance,
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401 - any JSON value
    """Run a module on a load; raises CalledProcessError, and TimeoutExpired after the seconds."""
    client = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(asdict(load)).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
        timeout=timeout,
    )
    return json.loads(client.stdout)
