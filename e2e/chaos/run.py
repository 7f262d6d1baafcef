"""One run: a crowd at work, a fault, and everything that was said."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from e2e.chaos.at_work import put_to_work
from e2e.chaos.clients.script import Script
from e2e.chaos.crowd import Crowd, Size
from e2e.chaos.final import read_everything, read_presence
from e2e.chaos.usage import usage
from e2e.history.history import History

if TYPE_CHECKING:
    from e2e.chaos.faults import Fault
    from local.stack import Stack

# What a run needs of the two services: nobody is slowed down but by what is broken.
SETTINGS = {
    "LIMIT_MESSAGES_PER_SECOND": "30",
    "LIMIT_MESSAGE_BURST": "100",
    "ACCESS_TOKEN_SECONDS": "3600",
}


@dataclass(frozen=True)
class Timing:
    """How many seconds all is well before the fault, and again after it."""

    before: float = 4.0
    after: float = 5.0


def run(stack: Stack, fault: Fault, timing: Timing, size: Size | None = None) -> History:
    """Let the fault strike in the middle of it. Only from the main thread: it starts processes.

    Raises ImpossibleError where the machine cannot have it.
    """
    put_to_work(stack)
    crowd = Crowd(Script(stack.address), stack, size or Size())
    if fault.over:
        with fault.over() as crowd.wire:
            return _run(crowd, fault, timing)
    return _run(crowd, fault, timing)


def _run(crowd: Crowd, fault: Fault, timing: Timing) -> History:
    stack = crowd.stack
    script, is_there = crowd.script, threading.Event()

    def measure(when: str) -> None:
        for who, what, number in usage(stack):
            script.note(who, "usage", event=what, seq=number, via=when)

    def when_quiet() -> None:
        measure("after")
        read_presence(crowd, stack)

    with ThreadPoolExecutor(1, "crowd") as beside:
        performing = beside.submit(asyncio.run, crowd.perform(is_there, when_quiet))
        try:
            while not is_there.wait(0.1) and not performing.done():
                pass
            time.sleep(timing.before)
            measure("before")
            _strike(fault, crowd)
            time.sleep(timing.after)
        finally:
            script.is_writing = False
        performing.result()
    read_everything(crowd, stack)
    return History(script.operations, fault.bounds)


def _strike(fault: Fault, crowd: Crowd) -> None:
    crowd.script.note(fault.name, "phase", event="inject")
    with fault.strike(crowd):
        time.sleep(fault.seconds)
    crowd.script.note(fault.name, "phase", event="heal")
