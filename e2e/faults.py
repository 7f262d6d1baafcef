"""What may happen to a process of a running system, and be over again."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.processes import family_of
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """It answers nothing meanwhile, and goes on where it was."""
    family = family_of(stack.process(name).pid)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(stack: Stack, name: str) -> Iterator[None]:
    """It is gone meanwhile, and started anew."""
    stack.process(name).kill()
    try:
        yield
    finally:
        stack.restart(name)


@contextmanager
def rewired(stack: Stack, name: str, **settings: str) -> Iterator[None]:
    """It runs with other settings meanwhile, `DB_PORT` of a proxy for one; it starts anew twice."""
    process = stack.process(name)
    before = process.environment
    process.environment = {**before, **settings}
    try:
        stack.restart(name)
        yield
    finally:
        process.environment = before
        stack.restart(name)


@contextmanager
def serving(stack: Stack, name: str, module: str, **settings: str) -> Iterator[None]:
    """It serves the ASGI application of a module of ours meanwhile; it starts anew twice."""
    process = stack.process(name)
    before = process.command
    process.command = [
        f"{module}:application" if word.endswith(":application") else word for word in before
    ]
    path = os.pathsep.join([process.environment["PYTHONPATH"], str(ROOT)])
    try:
        with rewired(stack, name, **settings, PYTHONPATH=path):
            yield
            process.command = before
    finally:
        process.command = before
