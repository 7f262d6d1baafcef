"""Somebody who listens from the other end of a wire, and somebody who is told of him."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from websockets.sync.client import connect

from e2e.people import Ear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.chaos.wire import Wire
    from e2e.people import Person
    from e2e.proxy import Proxy


@contextmanager
def listens_over(wire: Wire, far: Proxy, person: Person, room: int) -> Iterator[Ear]:
    """A socket from the other end of the wire."""
    link = wire.made()
    link.connect((wire.here, far.port))
    header = {"Authorization": f"Bearer {person.access}"}
    url = f"ws://localhost:{far.port}/ws/chat/{room}/"
    with connect(
        url, sock=link, additional_headers=header, ping_interval=None, close_timeout=1
    ) as socket:
        ear = Ear(socket)
        ear.ready = ear.hears_first("ready")
        yield ear


def hears_that(ear: Ear, person: Person, status: str, *, within: float) -> None:
    """Wait until somebody is told to be so; raises TimeoutError."""
    until = time.monotonic() + within
    told: dict[str, object] = {}
    while told.get("user_id") != person.user["id"] or told.get("status") != status:
        told = json.loads(ear.socket.recv(max(0, until - time.monotonic())))
