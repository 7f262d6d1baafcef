"""What can keep the local system from running, each a sentence for the person at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.processes import Process


class CannotStartError(Exception):
    """Something outside must change first: a taken port, a second runner, a missing right."""


class ProcessDiedError(Exception):
    """A process ended that should have gone on. Names it and shows the end of its log."""

    def __init__(self, process: Process) -> None:
        self.process = process
        end = f"The end of {process.log}:\n{process.last_lines()}"
        super().__init__(f"{process.name} {process.ending()}. {end}")
