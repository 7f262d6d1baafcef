"""Where the mails of a local system go, for people to read: in place of a mail server."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.health import answers
from local.ports import LOOPBACK
from local.processes import Process

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(kw_only=True)
class Mailbox:
    """Takes mails on one loopback port, shows them at /mail/ on another."""

    logs: Path
    smtp_port: int
    port: int
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(
            name="mailbox",
            command=[sys.executable, "-m", "local.mailbox_server", *self._ports],
            folder=Path(__file__).parent.parent,
            log=self.logs / "mailbox.log",
            port=self.port,
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def answers(self) -> bool:
        return answers(self.port, "/mail/readyz")

    @property
    def _ports(self) -> Sequence[str]:
        return str(self.smtp_port), str(self.port)
