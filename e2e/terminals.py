"""A terminal somebody types into what a document says, with bash behind it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack

SECONDS = 30.0


def blocks(document: str) -> list[str]:
    """Return what a document says to type, block by block."""
    return re.findall(r"^```bash\n(.*?)\n```$", document, re.MULTILINE | re.DOTALL)


def at(stack: Stack, lines: str) -> str:
    """Change the addresses in the lines to those of this system, and nothing else."""
    public = lines.replace("localhost:8000", f"localhost:{stack.port}")
    return public.replace("localhost:8001", f"localhost:{stack.operators_port}")


class Terminal:
    """What bash prints, and what is typed. Nothing of what was typed is shown again."""

    def __init__(self, screen: int) -> None:
        self._screen = screen
        self.shown = ""

    def types(self, lines: str) -> None:
        os.write(self._screen, f"{lines}\n".encode())

    def shows(self, words: str) -> str:
        """Return all that was shown, once it holds the words."""
        deadline = time.monotonic() + SECONDS
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._screen], [], [], 0.1)[0]:
                self.shown += os.read(self._screen, 65_536).decode(errors="replace")
        return self.shown


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """Open a terminal in a folder. What runs in it is hung up on when it is left."""
    screen, keyboard = pty.openpty()
    os.set_blocking(screen, False)
    settings = {**os.environ, "PS1": "", "PS2": "", "TERM": "dumb"}
    bash = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "--noediting", "-i"],
        cwd=folder,
        env=settings,
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
    )
    os.close(keyboard)
    shown = Terminal(screen)
    shown.types("stty -echo; echo open")
    shown.shows("open\r\n")
    try:
        yield shown
    finally:
        os.close(screen)
        with suppress(subprocess.TimeoutExpired):
            bash.wait(5)
        bash.kill()
        bash.wait()
