"""Keeps something of every request for good."""

from __future__ import annotations

from importlib import import_module
from typing import Any

serve = import_module("config.wsgi").application
KEPT_BYTES = 1 << 20
kept: list[bytes] = []


def application(environ: Any, start_response: Any) -> Any:
    kept.append(b"x" * KEPT_BYTES)
    return serve(environ, start_response)
