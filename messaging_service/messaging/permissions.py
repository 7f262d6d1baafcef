"""The whole policy, and the only way from an outside id to a row.

    member_of(user, room id)           the caller's membership with its room, or 404
    refusal_to_send(member)            may this member send here?

A stranger and a room that is not there look alike: 404. A member without the right gets 403.
"""

from typing import Protocol

from messaging.errors import NotFound
from messaging.models import Member
from service_kit.refusals import Refusal

LARGEST_ID = 2**63 - 1


class Membership(Protocol):
    """What a policy needs to know of a member; rows of the ORM and of raw SQL both have it."""

    @property
    def left_pos(self) -> int | None: ...


def member_of(*, user_id: str, room_id: int) -> Member:
    """The caller's current membership with `.room` loaded; raises NotFound."""
    member = (
        Member.objects.select_related("room").filter(room_id=room_id, user_id=user_id).first()
        if 0 < room_id <= LARGEST_ID
        else None
    )
    if member is None or member.left_pos is not None:
        raise NotFound("room")
    return member


def refusal_to_send(member: Membership | None) -> Refusal | None:
    """Why this member may not send to the room now, or None; strangers learn nothing."""
    if member is None or member.left_pos is not None:
        return NotFound("room")
    return None
