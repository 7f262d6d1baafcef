"""What changed in rooms, for one of their members or for a hub."""

from collections.abc import Mapping, Sequence
from typing import Final

from messaging.models import Member
from messaging.permissions import Window, window_of
from messaging.queries.changes.rows import (
    ANY_NUMBER,
    MOST_CHANGES,
    Span,
    find,
    readers_of,
)
from messaging.queries.changes.shapes import CatchUp, Changes, Refill, changes_found
from messaging.queries.positions import current_epoch
from messaging.queries.snapshots import snapshot

_STANDINGS: Final = """
SELECT me.room_id, room.pos, me.visible_from_seq, me.joined_pos
FROM members me JOIN rooms room ON room.id = me.room_id
WHERE me.user_id = %s AND me.room_id = ANY(%s) AND me.left_pos IS NULL
"""


def room_changes(
    *, user_id: str, positions: Mapping[int, int], epoch: str | None = None
) -> CatchUp:
    """What this person may see of what changed in rooms since a position in each.

    A given `epoch` that is not this database's makes every room incomplete.
    """
    with snapshot() as cursor:
        here = current_epoch()
        cursor.execute(_STANDINGS, [user_id, list(positions)])
        standings = {row[0]: row[1:] for row in cursor.fetchall()}
        spans = {
            room_id: Span(positions[room_id], pos, visible_from_seq)
            for room_id, (pos, visible_from_seq, joined_pos) in standings.items()
            if epoch in {None, here} and joined_pos <= positions[room_id] <= pos
        }
        found = find(cursor, spans)
        readers = readers_of(cursor, standings, viewer_id=user_id)
    rooms: dict[int, Changes | None] = dict.fromkeys(positions)
    for room_id, (pos, visible_from_seq, joined_pos) in standings.items():
        changes = changes_found(found.get(room_id), pos)
        window = Window(visible_from_seq, joined_pos, None)
        rooms[room_id] = changes._replace(window=window, reads=readers.get(room_id, {}))
    return CatchUp(here, rooms)


def room_refill(*, room_id: int, after: int, user_ids: Sequence[str]) -> Refill:
    """A page of what changed in a room, and the windows of these people, of the same moment."""
    with snapshot() as cursor:
        cursor.execute("SELECT pos FROM rooms WHERE id = %s", [room_id])
        (pos,) = cursor.fetchone() or (0,)
        found = find(cursor, {room_id: Span(after, pos, 0)}, most=ANY_NUMBER)[room_id]
        members = Member.objects.filter(room_id=room_id, user_id__in=user_ids)
        shown = {member.user_id: window_of(member) for member in members}
    # Of more memberships than were counted some were not read either.
    more = found.total > min(len(found.events), MOST_CHANGES)
    return Refill(found.events, found.events[-1].pos if more else pos, more, shown)
