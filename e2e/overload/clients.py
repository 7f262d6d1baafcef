"""Our processes full of clients, from outside: what they are told, and what they tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

LAST_SECONDS = 20.0


class Clients:
    """A process of one module of this folder, for as long as it is entered; then see `told`."""

    def __init__(self, module: str, job: Mapping[str, Any]) -> None:
        self._command = [sys.executable, "-m", f"e2e.overload.{module}"]
        self._job = json.dumps(job)
        self.told: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdin is not None
        print(self._job, file=self._process.stdin, flush=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """End its input, and take what it tells."""
        try:
            text, _ = self._process.communicate(timeout=LAST_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
        if kind is None:
            self.told = json.loads(text)
