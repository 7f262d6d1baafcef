"""One socket's place in one feed: what it may hear there, and how far it has heard it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from messaging.permissions import Window

if TYPE_CHECKING:
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
    def text(self) -> bytes: ...


class User(Protocol):
    """Who listens to feeds, live or not."""

    def send_away(self) -> None:
        """Close the socket: what its feeds told means nothing any more."""


class Turns(NamedTuple):
    """What a seat's owner hears besides the frames, each time after the frame that caused it.

    `ended`     the membership is over, and with it the seat
    `behind`    the seat was given up at this position: catch up from there
    `renewed`   the membership ended and began again: what was held before is void at this position
    `added`     he is in this room from here on
    """

    ended: Callable[[], None]
    behind: Callable[[int], None]
    renewed: Callable[[int], None]
    added: Callable[[bytes], None]


class Seat:
    """Live from `cursor` on; made anew each time a socket stops being behind."""

    __slots__ = ("cursor", "is_live", "outlet", "turns", "user_id", "window")

    def __init__(
        self, *, user_id: str, outlet: "Outlet", window: Window, cursor: int, turns: Turns
    ) -> None:
        self.user_id = user_id
        self.outlet = outlet
        self.window = window
        self.cursor = cursor
        self.turns = turns
        self.is_live = False

    def may_hear(self, told: Told) -> bool:
        """Whether the event is for this socket, and new to it; passing ones have no position."""
        if told.author_id == self.user_id:
            return False
        is_new = told.pos > self.cursor and self.window.shows(pos=told.pos, seq=told.seq)
        return not told.pos or is_new
