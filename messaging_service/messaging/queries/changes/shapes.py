"""What reading changes gives."""

from collections.abc import Mapping
from typing import NamedTuple

from messaging.events import Event
from messaging.permissions import Window
from messaging.queries.changes.rows import MOST_CHANGES, Found


class Changes(NamedTuple):
    """Durable events in the order of their positions, and the position they lead to.

    With `more` there are later ones: ask again from `pos`. Without `complete` there are none here:
    whoever asked drops what he holds and starts from `pos` with what he can fetch. `reads` are the
    markers of a room's members, empty in large rooms.
    """

    events: list[Event]
    pos: int
    complete: bool = True
    more: bool = False
    window: Window = Window(1, 0, None)
    reads: Mapping[str, int] = {}


class CatchUp(NamedTuple):
    """What changed in some rooms; None for a room that is not there or not the caller's."""

    epoch: str
    rooms: dict[int, Changes | None]


class Refill(NamedTuple):
    """Changes for everybody who listens, and the windows of the members asked for."""

    events: list[Event]
    pos: int
    more: bool
    windows: dict[str, Window]
    is_complete: bool = True


def changes_found(found: Found | None, pos: int) -> Changes:
    """What was found on the way to a position; None, or too much, is not complete."""
    if found is None or found.total > MOST_CHANGES:
        return Changes([], pos, complete=False)
    if found.total > len(found.events):
        return Changes(found.events, found.events[-1].pos, more=True)
    return Changes(found.events, pos)
