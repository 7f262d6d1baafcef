"""Opening rooms."""

from typing import NamedTuple

from django.db import IntegrityError

from messaging.actions.changes import keep_pair, next_user_positions, told_change
from messaging.actions.members import rooms_added
from messaging.errors import Invalid
from messaging.models import Member, Profile, Room
from messaging.permissions import refusal_to_open, refusal_to_write, tie_between
from messaging.queries.rooms import direct_rooms_of, rooms_opened_by


class OpenedRoom(NamedTuple):
    """A room, and whether this call made it."""

    room: Room
    created: bool


def open_direct_room(*, caller_id: str, other: Profile) -> OpenedRoom:
    """The one room of two people, made if there is none: two calls at once give one room.

    One that exists is given whatever the two are to each other: what was said stays readable.
    Raises Blocked, ContactsOnly and TooManyRooms for a new one, Invalid for a room with oneself.
    """
    if other.user_id == caller_id:
        raise Invalid("A direct room is with somebody else.")
    pair = (caller_id, other.user_id)
    if found := direct_rooms_of(pair).first():
        return OpenedRoom(found, created=False)
    try:
        return OpenedRoom(_make_direct_room(pair), created=True)
    except IntegrityError:
        # Somebody made it meanwhile: the constraint waited until his transaction had ended.
        found = direct_rooms_of(pair).first()
        if found is None:
            raise
        return OpenedRoom(found, created=False)


def _make_direct_room(pair: tuple[str, str]) -> Room:
    first, second = sorted(pair, key=lambda user_id: (len(user_id), user_id))
    with told_change() as events:
        keep_pair(*pair)
        if refusal := refusal_to_write(tie_between(*pair)):
            raise refusal
        room = Room.objects.create(
            room_type=Room.Type.DIRECT,
            participant_a=first,
            participant_b=second,
            created_by_id=pair[0],
        )
        positions = next_user_positions(pair)
        # Nobody is added to a room of his meanwhile.
        if refusal := refusal_to_open(rooms_opened_by(user_id=pair[0])):
            raise refusal
        members = [
            Member(
                room=room, user_id=user_id, user_pos=(pos := positions[user_id]), added_user_pos=pos
            )
            for user_id in (first, second)
        ]
        Member.objects.bulk_create(members)
        events.extend(rooms_added(members, room))
    return room
