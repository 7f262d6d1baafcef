"""What changed of what is personal to somebody."""

from messaging.events import Event, block_changed, contact_changed, me_changed, room_added
from messaging.models import Block, Contact, Member
from messaging.queries.changes.rows import MOST_CHANGES, Found, page_of
from messaging.queries.changes.shapes import Changes, changes_found
from messaging.queries.positions import current_epoch, personal_position_of
from messaging.queries.rooms import show_rooms_to_anybody
from messaging.queries.snapshots import snapshot
from messaging.serializers.contacts import block_json, contact_json

# Of each kind of row; one more than that is too much in any case.
_MOST_READ = MOST_CHANGES + 1


def personal_changes(*, user_id: str, after: int, epoch: str | None = None) -> Changes:
    """What changed of what is personal to somebody.

    Rooms he was added to, his own markers, his contacts and the blocks he made.
    """
    with snapshot():
        pos = personal_position_of(user_id)
        if epoch not in {None, current_epoch()} or after > pos:
            return Changes([], pos, complete=False)
        events = [
            *_memberships(user_id, after, pos),
            *_contacts(user_id, after, pos, side="requester"),
            *_contacts(user_id, after, pos, side="addressee"),
            *_blocks(user_id, after, pos),
        ]
    events.sort(key=lambda event: event.pos)
    return changes_found(Found(page_of(events), len(events)), pos)


def _memberships(user_id: str, after: int, upto: int) -> list[Event]:
    mine = Member.objects.filter(
        user_id=user_id, user_pos__gt=after, user_pos__lte=upto, left_pos__isnull=True
    )
    touched = list(mine.select_related("room").order_by("user_pos")[:_MOST_READ])
    added = [member.room for member in touched if member.added_user_pos > after]
    shown = {room["id"]: room for room in show_rooms_to_anybody(added)}
    return [
        room_added(user_id=user_id, user_pos=member.user_pos, room=shown[member.room_id])
        if member.room_id in shown
        else me_changed(
            user_id=user_id,
            user_pos=member.user_pos,
            room_id=member.room_id,
            last_read_seq=member.last_read_seq,
        )
        for member in touched
    ]


def _contacts(user_id: str, after: int, upto: int, *, side: str) -> list[Event]:
    """Those where he is the one who asked, or who was asked."""
    pos = f"{side}_pos"
    mine = Contact.objects.filter(**{side: user_id, f"{pos}__gt": after, f"{pos}__lte": upto})
    touched = mine.select_related("requester", "addressee").order_by(pos)[:_MOST_READ]
    return [
        contact_changed(
            user_id=user_id,
            user_pos=getattr(contact, pos),
            contact=contact_json(contact, user_id=user_id),
        )
        for contact in touched
    ]


def _blocks(user_id: str, after: int, upto: int) -> list[Event]:
    mine = Block.objects.filter(blocker=user_id, pos__gt=after, pos__lte=upto)
    return [
        block_changed(user_id=user_id, user_pos=block.pos, block=block_json(block))
        for block in mine.select_related("blocked").order_by("pos")[:_MOST_READ]
    ]
