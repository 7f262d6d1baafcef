"""Somebody who lets guests into a room and shows them out again, all the time."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.chaos.clients.script import Account, Script
    from local.stack import Stack

STEWARD = Path(__file__).parent.parent / "steward.py"
STAY_SECONDS = 2.0


class Doorkeeper:
    """Speaks to a process with the right to: see steward.py."""

    def __init__(self, script: Script, stack: Stack) -> None:
        self.script = script
        manage = stack.messaging.manage("shell")
        path = [str(manage.folder), str(ROOT), manage.environment["PYTHONPATH"]]
        self._environment = {**os.environ, **manage.environment, "PYTHONPATH": ":".join(path)}
        self._folder = manage.folder
        self._log = stack.logs / "steward.log"

    async def work(self, guests: Sequence[Account], rooms: Sequence[int]) -> None:
        """Each guest comes to the rooms in turn; when cancelled, who is in stays in."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(STEWARD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
            )
        try:
            while True:
                guest, room = random.choice(guests), random.choice(rooms)
                for act in ("join", "leave"):
                    await self._ask(process, act, room, guest.user_id)
                    await asyncio.sleep(random.uniform(0.5, 1.5) * STAY_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(
        self, process: asyncio.subprocess.Process, act: str, room: int, user: str
    ) -> None:
        """Say it until it is certain: who is half removed would be nobody's."""
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            said: dict[str, Any] = {"room": room, "about": user}
            self.script.note("steward", act, "invoke", **said)
            process.stdin.write(f"{act} {room} {user}\n".encode())
            told = json.loads(await process.stdout.readline())
            self.script.note("steward", act, told.pop("kind"), **said, **told)
            if "error" not in told or told["error"] == "not_found":
                return
            await asyncio.sleep(0.2)
