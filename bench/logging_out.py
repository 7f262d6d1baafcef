"""From a logout to the end of its sockets, through the gateway, among a thousand open ones."""

from __future__ import annotations

import http.client
import json
import select
from collections import deque
from contextlib import ExitStack, closing
from time import monotonic
from typing import TYPE_CHECKING

from bench.measurements import Measurement, percentile
from bench.talk import Storm
from bench.websocket import ClosedError, messages
from local.ports import LOOPBACK
from local.testing import isolated_stack

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from bench.stage import Stage

AMONG = "log out among 1,000 sockets"
ALL = "log out of 1,000 sockets"
OPEN = 1_000
LOGOUTS, FEW = 25, 3
SECONDS = 10.0
NAME, PASSWORD = "measured", "over-the-hills-and-far-away"
SETTINGS = {"LIMIT_SOCKETS_PER_USER": str(2 * OPEN)}


class LoggingOut:
    """The whole system with two socket processes, and one account on many devices."""

    def __init__(self, stage: Stage) -> None:
        self._logouts = FEW if stage.quick else LOGOUTS
        self._stack = stage.started.enter_context(isolated_stack(settings=SETTINGS))
        account = {"username": NAME, "email": f"{NAME}@example.com", "password": PASSWORD}
        self._ask("register", account)

    def measure(self, number: int) -> Iterator[Measurement]:
        with ExitStack() as there:
            others = self._log_in()
            crowd = Storm(self._stack.port, [_path(others)] * OPEN)
            there.callback(crowd.close)
            taken = [each for _ in range(self._logouts) for each in self._log_out_once()]
            yield _measurement(AMONG, number, taken)
            yield _measurement(ALL, number, self._log_out(others, crowd.links))

    def _log_out_once(self) -> list[float]:
        access = self._log_in()
        device = Storm(self._stack.port, [_path(access)])
        with closing(device):
            return self._log_out(access, device.links)

    def _log_out(self, access: str, links: Sequence[socket.socket]) -> list[float]:
        """Return how long each socket was open, in seconds."""
        began = monotonic()
        self._ask("logout", {}, access=access)
        return [each - began for each in _closings(links)]

    def _log_in(self) -> str:
        return str(self._ask("login", {"username": NAME, "password": PASSWORD})["access"])

    def _ask(self, what: str, body: object, *, access: str = "") -> dict[str, object]:
        headers = {"Content-Type": "application/json"}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        link = http.client.HTTPConnection(LOOPBACK, self._stack.port, timeout=SECONDS)
        with closing(link):
            link.request("POST", f"/api/auth/{what}/", json.dumps(body), headers)
            answer = link.getresponse()
            told = answer.read()
        if answer.status not in {200, 201, 204}:
            raise RuntimeError(f"{what}: {answer.status} {told.decode()}")
        found: dict[str, object] = json.loads(told or b"{}")
        return found


def _path(access: str) -> str:
    return f"/ws/chat/?token={access}"


def _closings(links: Sequence[socket.socket]) -> Iterator[float]:
    """When each was closed; raises TimeoutError for one that is not."""
    open_, poll = {link.fileno(): (link, bytearray()) for link in links}, select.poll()
    for number in open_:
        poll.register(number, select.POLLIN)
    while open_:
        ready = poll.poll(1_000 * SECONDS)
        if not ready:
            raise TimeoutError(f"{len(open_)} sockets are still open")
        for number, _ in ready:
            if _is_closed(*open_[number]):
                poll.unregister(number)
                del open_[number]
                yield monotonic()


def _is_closed(link: socket.socket, buffer: bytearray) -> bool:
    data = link.recv(1 << 16)
    buffer += data
    try:
        deque(messages(buffer), maxlen=0)
    except ClosedError:
        return True
    return not data


def _measurement(workload: str, number: int, taken: list[float]) -> Measurement:
    return Measurement(
        round=number,
        workload=workload,
        system="parley",
        p50=1_000 * percentile(taken, 0.5),
        p99=1_000 * percentile(taken, 0.99),
    )
