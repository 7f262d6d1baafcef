"""What changed since a position, read in one snapshot.

rooms.py       room_changes: for somebody who catches up in his rooms
               room_refill: for a hub that missed something in a room
personal.py    personal_changes: for who catches up with what is personal to him, and for his hub
rows.py        the rows that carry a later position, as the events they tell
shapes.py      what is answered
"""

from messaging.queries.changes.personal import personal_changes
from messaging.queries.changes.rooms import room_changes, room_refill
from messaging.queries.changes.rows import MOST_CHANGES, PAGE_BYTES
from messaging.queries.changes.shapes import CatchUp, Changes, Refill

__all__ = [
    "MOST_CHANGES",
    "PAGE_BYTES",
    "CatchUp",
    "Changes",
    "Refill",
    "personal_changes",
    "room_changes",
    "room_refill",
]
