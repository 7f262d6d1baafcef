"""What every way out to a socket is, and how much may wait there."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from prometheus_client import Counter

from messaging.websocket.frames import Frame

MOST_WAITING_BYTES: Final = 1 << 20
SHEDDING_BYTES: Final = MOST_WAITING_BYTES // 2
LOADED_BYTES: Final = MOST_WAITING_BYTES // 8
CUT_AFTER_SECONDS: Final = 10.0
TOO_SLOW: Final = 4408

shed: Final = Counter("parley_frames_shed_total", "Passing events left out for slow sockets.")
given_up: Final = Counter("parley_sockets_given_up_total", "Sockets closed for being too slow.")
cut: Final = Counter("parley_sockets_cut_total", "Sockets cut: they did not even take their close.")

SendToServer = Callable[[dict[str, Any]], Awaitable[None]]


class Outlet(Protocol):
    @property
    def is_loaded(self) -> bool:
        """Whether so much waits that what can be put off should be."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing that is sent from here on goes anywhere."""

    def send(self, frame: Frame) -> None:
        """Send a frame in order, soon; nothing once the socket is closed.

        A passing frame is left out where more than half of what may wait does.
        """

    async def drain(self) -> None:
        """Return when there is room for a page more, or the socket is given up."""

    def close(self, code: int, reason: str = "") -> Coroutine[Any, Any, None]:
        """Close, when awaited, after what was sent before; nothing is sent from the call on."""


async def nothing() -> None:
    """What closing comes to, the second time."""
