"""One more device of somebody: a session of its own, and sockets."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from e2e.people import PASSWORD, SECONDS
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e2e.people import Person
    from local.processes import Process

ENDED = 4401


@dataclass
class Closing:
    """When a socket was closed, by time.monotonic, and how; and what it heard before."""

    at: float
    code: int | None
    reason: str
    heard: list[str]


class Device:
    """Logs in when entered; closes what it opened when left."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.http = httpx.Client(base_url=person.address, timeout=SECONDS)
        self.sockets: list[ClientConnection] = []
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._opened.enter_context(self.http)
        body = {"username": self.person.username, "password": PASSWORD}
        answer = self.http.post("/api/auth/login/", json=body)
        assert answer.status_code == 200, answer.text
        self.access: str = answer.json()["access"]
        self.refresh: str = answer.json()["refresh"]
        self.http.headers["Authorization"] = f"Bearer {self.access}"
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def session_id(self) -> str:
        listed = self.http.get("/api/auth/sessions/").json()["results"]
        return next(str(each["id"]) for each in listed if each["current"])

    def listens(self, number: int = 1) -> None:
        """Open so many sockets wherever the gateway leads, and wait until they are ready."""
        for _ in range(number):
            self._listens_at(self.person.address.removeprefix("http://"))

    def listens_to_each(self, processes: Iterable[Process]) -> None:
        """Open a socket past the gateway in each of these, and wait until they are ready."""
        for process in processes:
            self._listens_at(f"{LOOPBACK}:{process.port}")

    def _listens_at(self, place: str) -> None:
        header = {"Authorization": f"Bearer {self.access}"}
        socket = connect(f"ws://{place}/ws/chat/", additional_headers=header)
        self.sockets.append(self._opened.enter_context(socket))
        assert '"ready"' in str(socket.recv(SECONDS))

    def closings(self, *, within: float) -> list[Closing]:
        """Wait for the end of every socket; raises TimeoutError."""
        deadline = time.monotonic() + within
        return [_closing(socket, deadline) for socket in self.sockets]

    def waits_for_closings(self, number: int, *, within: float) -> None:
        """Return when so many sockets are closed, whatever they heard before."""
        deadline = time.monotonic() + within
        while sum(socket.close_code is not None for socket in self.sockets) < number:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def is_heard(self) -> bool:
        """Say whether every socket still answers."""
        for socket in self.sockets:
            socket.send('{"type":"ping","ref":"here"}')
            while '"pong"' not in str(socket.recv(SECONDS)):
                pass
        return True

    def asks(self) -> httpx.Response:
        """Ask messaging for something, past a gateway that finds nobody."""
        return self.http.get("/api/chat/rooms/")

    def refused_after(self, *, within: float) -> float:
        """Wait until messaging refuses its token, and say when that was."""
        deadline = time.monotonic() + within
        while (answer := self.asks()).status_code in {200, 502, 503}:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.01)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")
        return time.monotonic()


def _closing(socket: ClientConnection, deadline: float) -> Closing:
    heard: list[str] = []
    try:
        while True:
            heard.append(str(socket.recv(max(0.0, deadline - time.monotonic()))))
    except ConnectionClosed as closed:
        at, end = time.monotonic(), closed.rcvd
    return Closing(at, end.code if end else None, end.reason if end else "", heard)
