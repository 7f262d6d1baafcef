"""What changed of what is personal to somebody."""

from typing import Any

from messaging.events import Event, me_changed, room_added
from messaging.models import Member
from messaging.queries.changes.rows import MOST_CHANGES, Found, page_of
from messaging.queries.changes.shapes import Changes, changes_found
from messaging.queries.positions import current_epoch, personal_position_of
from messaging.queries.rooms import show_rooms_to_anybody
from messaging.queries.snapshots import snapshot


def personal_changes(*, user_id: str, after: int, epoch: str | None = None) -> Changes:
    """What changed of what is personal to somebody: rooms he was added to, his own markers."""
    with snapshot():
        pos = personal_position_of(user_id)
        if epoch not in {None, current_epoch()} or after > pos:
            return Changes([], pos, complete=False)
        mine = Member.objects.filter(
            user_id=user_id, user_pos__gt=after, user_pos__lte=pos, left_pos__isnull=True
        )
        touched = list(mine.select_related("room").order_by("user_pos")[: MOST_CHANGES + 1])
        added = [member for member in touched if member.added_user_pos > after]
        shown = {
            room["id"]: room for room in show_rooms_to_anybody([member.room for member in added])
        }
    events = [_personal_event(member, shown.get(member.room_id)) for member in touched]
    return changes_found(Found(page_of(events), len(events)), pos)


def _personal_event(member: Member, room: dict[str, Any] | None) -> Event:
    if room is not None:
        return room_added(user_id=member.user_id, user_pos=member.user_pos, room=room)
    return me_changed(
        user_id=member.user_id,
        user_pos=member.user_pos,
        room_id=member.room_id,
        last_read_seq=member.last_read_seq,
    )
