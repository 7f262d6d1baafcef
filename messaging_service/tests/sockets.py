"""One WebSocket as a client holds it: every wait ends, every frame is seen and is as documented."""

import json
import time
from contextlib import ExitStack
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from e2e.asyncapi import checked

SECONDS = 5.0
PRESENCE = {"presence", "presences"}


class Socket:
    """An open connection; `expect` waits for frames, at most `SECONDS` for each.

    `headers` and `protocols` carry credentials other than those in the address.
    """

    def __init__(
        self,
        address: str,
        *,
        headers: dict[str, str] | None = None,
        protocols: tuple[str, ...] = (),
    ) -> None:
        self._opened = ExitStack()
        self.link = self._opened.enter_context(
            connect(
                address,
                additional_headers=headers,
                subprotocols=[Subprotocol(name) for name in protocols] or None,
                open_timeout=SECONDS,
                close_timeout=SECONDS,
                ping_interval=None,
                max_size=None,
            )
        )
        self.unheard: list[dict[str, Any]] = []
        # Who comes and goes is told whenever it is noticed: only who expects it hears it.
        self.presence: list[dict[str, Any]] = []
        self._refs = 0

    def send(self, frame: object) -> None:
        """Send an object as JSON, a string as it is, bytes as a text frame of just these bytes."""
        if isinstance(frame, bytes):
            self.link.send(frame, text=True)
        else:
            self.link.send(frame if isinstance(frame, str) else json.dumps(frame))

    def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a command, and return what answers it: its ack, error or pong."""
        self._refs += 1
        ref = f"ask-{self._refs}"
        self.send(frame | {"ref": ref})
        return self._find(lambda found: found.get("ref") == ref)

    def expect(self, *kinds: str, within: float = SECONDS) -> dict[str, Any]:
        """The first frame of these types that was not expected yet; others wait for their turn."""
        return self._find(lambda found: found["type"] in kinds, within=within)

    def next(self, *, within: float = SECONDS) -> dict[str, Any]:
        """The next frame, whatever it is but presence."""
        if self.unheard:
            return self.unheard.pop(0)
        return self._receive_other_than_presence(within)

    def closed(self, *, within: float = SECONDS) -> int:
        """The code the server closes with, soon; what came before it is in `unheard`."""
        while True:
            frame = self.first_or_closed(within=within)
            if isinstance(frame, int):
                return frame
            self.unheard.append(frame)

    def first_or_closed(self, *, within: float = SECONDS) -> dict[str, Any] | int:
        """The next frame to come, or the code the server closes with."""
        try:
            return self._receive_other_than_presence(within)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    @property
    def reason(self) -> str:
        """What the server said when it closed it."""
        return self.link.close_reason or ""

    @property
    def is_closed(self) -> bool:
        return self.link.state is not State.OPEN

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find(self, wanted: Any, *, within: float = SECONDS) -> dict[str, Any]:
        for frames in (self.unheard, self.presence):
            for number, frame in enumerate(frames):
                if wanted(frame):
                    return frames.pop(number)
        deadline = time.monotonic() + within
        while True:
            frame = self._receive(max(0.0, deadline - time.monotonic()))
            if wanted(frame):
                return frame
            self._put_aside(frame)

    def _receive_other_than_presence(self, within: float) -> dict[str, Any]:
        deadline = time.monotonic() + within
        while True:
            frame = self._receive(max(0.0, deadline - time.monotonic()))
            if frame["type"] not in PRESENCE:
                return frame
            self._put_aside(frame)

    def _put_aside(self, frame: dict[str, Any]) -> None:
        (self.presence if frame["type"] in PRESENCE else self.unheard).append(frame)

    def _receive(self, within: float) -> dict[str, Any]:
        text = self.link.recv(timeout=within)
        checked(text)
        frame: dict[str, Any] = json.loads(text)
        return frame
