"""What uvicorn leaves without a limit: frames that are no messages, and pieces of messages.

`uvicorn --ws messaging.websocket.protocol:LimitedProtocol`; it needs nothing of Django.
"""

from asyncio import BaseTransport
from typing import Any, Final

from prometheus_client import Counter
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

# More than any client has a reason to send.
MOST_A_SECOND: Final = 250
TOO_FAST: Final = 4429
CUT_AFTER_SECONDS: Final = 10.0

_flooded: Final = Counter(
    "parley_sockets_flooded_total", "Sockets closed for too many pings, pongs or pieces."
)


class LimitedProtocol(WebSocketsSansIOProtocol):
    """Closes a socket that sends too many of them in a second.

    uvicorn answers a ping at once, also to somebody who takes no answers, and keeps the pieces of a
    message, however small, until the last has come.
    """

    _second = 0.0
    _count = 0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn's HTTP protocol has done its part, and it and its parser know each other: left
        # alone, both and the transport would wait for the collector, which stops every socket.
        http: Any = transport.get_protocol()
        http.parser = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # As above: what reads the frames and its generator know each other.
        self.conn.parser.close()

    def handle_ping(self) -> None:
        if self._is_allowed():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._is_allowed():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self._is_allowed():
            super().handle_cont(event)

    def _is_allowed(self) -> bool:
        now = self.loop.time()
        if now >= self._second + 1:
            self._second, self._count = now, 0
        self._count += 1
        if self._count == MOST_A_SECOND + 1 and not self.close_sent:
            self._end()
        return self._count <= MOST_A_SECOND

    def _end(self) -> None:
        """As uvicorn ends what breaks the protocol; and cut, if it never takes its close."""
        _flooded.inc()
        self.stop_keepalive()
        self.frames.clear()
        self.conn.fail(TOO_FAST, "Too fast, too often.")
        self.handle_parser_exception()
        self.loop.call_later(CUT_AFTER_SECONDS, self.transport.abort)
