"""Adding people to rooms and removing them; there is no public way to ask for it yet."""

from django.utils import timezone

from messaging.actions.changes import RoomChange, next_user_positions, room_change
from messaging.errors import NotFound
from messaging.events import Event, member_joined, member_left, room_added
from messaging.models import Member, Profile, Room
from messaging.queries.rooms import show_rooms_to_anybody


def add_member(*, room_id: int, user_id: str) -> Member:
    """Let somebody see a room from its next message on; who is a member stays as he is.

    Somebody who was a member before sees nothing of what came in between, nor of what was before.
    Raises NotFound for a room or a person that is not there.
    """
    with room_change(room_id) as change:
        member = _held_member(change.room, user_id)
        if member.pk and member.left_pos is None:
            return member
        if member.user.erased_at is not None:
            raise NotFound("person")
        _join(member, change)
        change.events.append(member_joined(member))
        change.events += rooms_added([member], change.room)
    return member


def remove_member(*, room_id: int, user_id: str) -> None:
    """Show somebody nothing more of a room; raises NotFound for who is no member."""
    with room_change(room_id) as change:
        member = _held_member(change.room, user_id)
        if not member.pk or member.left_pos is not None:
            raise NotFound("member")
        member.pos = member.left_pos = change.next_pos()
        member.save(update_fields=["pos", "left_pos"])
        change.events.append(member_left(member))


def rooms_added(members: list[Member], room: Room) -> list[Event]:
    """Tell these members, after COMMIT, that they are in the room now."""
    (shown,) = show_rooms_to_anybody([room])
    return [
        room_added(user_id=member.user_id, user_pos=member.added_user_pos, room=shown)
        for member in members
    ]


def _held_member(room: Room, user_id: str) -> Member:
    """The row of this membership, held, or a new one; raises NotFound for nobody."""
    held = Member.objects.select_related("user").select_for_update(of=("self",), no_key=True)
    member = held.filter(room=room, user_id=user_id).first()
    if member is None:
        person = Profile.objects.filter(pk=user_id).first()
        if person is None:
            raise NotFound("person")
        member = Member(room=room, user=person)
    return member


def _join(member: Member, change: RoomChange) -> None:
    """Begin where the room stands now: what was before is neither visible nor unread."""
    member.room = change.room
    member.pos = member.joined_pos = change.next_pos()
    member.left_pos = None
    member.joined_at = timezone.now()
    member.visible_from_seq = change.room.seq + 1
    member.last_read_seq = change.room.seq
    member.read_at = None
    positions = next_user_positions([member.user_id])
    member.user_pos = member.added_user_pos = positions[member.user_id]
    member.save()
