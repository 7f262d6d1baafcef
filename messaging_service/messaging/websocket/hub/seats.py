"""One socket's place in one feed: what it may hear there, and how far it has heard it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from messaging.permissions import Window

if TYPE_CHECKING:
    from messaging.websocket.hub.streams import Stream
    from messaging.websocket.outlets import Outlet


class Told(Protocol):
    """An event as a hub hears it from Redis or reads it from Postgres."""

    @property
    def pos(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def author_id(self) -> str: ...
    @property
    def hidden_from(self) -> Sequence[str]: ...
    @property
    def text(self) -> bytes: ...


class Owner(Protocol):
    """Who listens to feeds; what happens to his seat he hears after the frame that caused it."""

    def ended(self, stream: "Stream") -> None:
        """The membership is over, and with it the seat."""

    def behind(self, stream: "Stream", pos: int) -> None:
        """The seat was given up at this position: catch up from there."""

    def renewed(self, stream: "Stream", pos: int) -> None:
        """The membership ended and began again: what was held before is void at this position."""

    def added(self, text: bytes) -> None:
        """He is in this room, told as JSON, from here on."""

    def send_away(self) -> None:
        """Close the socket: what its feeds told means nothing any more. He may have no seat."""


class Seat:
    """Live from `cursor` on; made anew each time a socket stops being behind."""

    __slots__ = ("cursor", "is_live", "outlet", "owner", "user_id", "window")

    def __init__(
        self, *, user_id: str, outlet: "Outlet", window: Window, cursor: int, owner: Owner
    ) -> None:
        self.user_id = user_id
        self.outlet = outlet
        self.window = window
        self.cursor = cursor
        self.owner = owner
        self.is_live = False

    def may_hear(self, told: Told) -> bool:
        """Whether the event is for this socket, and new to it; passing ones have no position."""
        if told.author_id == self.user_id or self.user_id in told.hidden_from:
            return False
        is_new = told.pos > self.cursor and self.window.shows(pos=told.pos, seq=told.seq)
        return not told.pos or is_new
