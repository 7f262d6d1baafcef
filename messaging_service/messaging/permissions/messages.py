"""What a member may do with messages: one pure function for each act, fed with rows."""

from typing import Protocol

from messaging.errors import NotAllowed, NotFound
from service_kit.refusals import Refusal


class Membership(Protocol):
    """What a policy needs to know of a member; rows of the ORM and of raw SQL both have it."""

    @property
    def left_pos(self) -> int | None: ...


def refusal_to_send(member: Membership | None) -> Refusal | None:
    """Why this member may not send to the room now, or None; strangers learn nothing."""
    if member is None or member.left_pos is not None:
        return NotFound("room")
    return None


def refusal_to_change(*, sender_id: str, user_id: str) -> Refusal | None:
    """Why this member may not edit or delete the message he sees, or None."""
    if sender_id != user_id:
        return NotAllowed("Only who sent a message may change it.")
    return None
