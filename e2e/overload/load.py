"""A process full of clients that goes on until its input ends; then it says what they met.

Reads one line, a Job, and writes another, the counts of each kind: both JSON. Whoever starts it and
dies ends its input too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from e2e.overload.abuser import Abuser
from e2e.overload.abuses import KINDS
from e2e.overload.wire import TurnedAwayError

# Whoever is closed should wait, and does so, a little.
PAUSE_SECONDS = 1.0
LOWEST_PRIORITY = 19


class Actor(TypedDict):
    """Who does what, and where."""

    kind: str
    token: str
    room: int


class Job(TypedDict):
    """Everything one such process is told."""

    port: int
    actors: list[Actor]


async def main() -> None:
    """Do it until there is nothing more to read."""
    _stand_back()
    job: Job = json.loads(sys.stdin.readline())
    met: defaultdict[str, Counter[str]] = defaultdict(Counter)
    working = [
        asyncio.create_task(
            _persist(
                actor["kind"],
                Abuser(job["port"], actor["token"], actor["room"], met[actor["kind"]]),
            )
        )
        for actor in job["actors"]
    ]
    await asyncio.to_thread(sys.stdin.read)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    print(json.dumps(met), flush=True)


def _stand_back() -> None:
    """Leave the processors to everybody else: elsewhere these clients would have their own.

    Linux compares the priorities of sessions first, where it groups processes by them.
    """
    os.setsid()
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(LOWEST_PRIORITY))
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)


async def _persist(kind: str, who: Abuser) -> None:
    """Do it anew whenever it has come to its end."""
    while True:
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
        try:
            await KINDS[kind].act(who)
        except (OSError, EOFError, TurnedAwayError) as error:
            who.met[f"ended by {type(error).__name__}"] += 1


if __name__ == "__main__":
    asyncio.run(main())
