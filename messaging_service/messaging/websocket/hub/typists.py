"""Who is typing in a room: told to have stopped when nothing more is heard of it."""

import asyncio
from collections.abc import Callable
from typing import Final

from messaging.broadcast import Envelope
from messaging.events import Event

TYPING_SECONDS: Final = 6.0
_STARTED: Final = b'"is_typing":true'
_STOPPED: Final = b'"is_typing":false'


class Typists:
    """Tells the room's sockets of this process `is_typing: false` six seconds after the last true.

    Each process does so for its own sockets: so it holds though the typist's process has crashed.
    """

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def watch(self, envelope: Envelope) -> None:
        if envelope.kind != "typing":
            return
        if timer := self._timers.pop(envelope.author_id, None):
            timer.cancel()
        # A quote inside a name is escaped, so this is nobody's name.
        if _STARTED in envelope.text:
            self._timers[envelope.author_id] = asyncio.get_running_loop().call_later(
                TYPING_SECONDS, self._stop, envelope
            )

    def _stop(self, envelope: Envelope) -> None:
        del self._timers[envelope.author_id]
        text = envelope.text.replace(_STARTED, _STOPPED)
        self._tell(Event("", "typing", text, author_id=envelope.author_id))

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
