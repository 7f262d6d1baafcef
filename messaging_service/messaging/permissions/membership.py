"""What somebody may see of a room."""

from typing import Final, NamedTuple

from messaging.errors import NotFound
from messaging.models import Member
from messaging.serializers.fields import LARGEST_ID

# For raw SQL: whether two people are in a room together; format it with what names the two.
SHARE_A_ROOM: Final = """EXISTS (
    SELECT FROM members theirs
    JOIN members mine ON mine.room_id = theirs.room_id AND mine.user_id = {one}
    WHERE theirs.user_id = {other} AND theirs.left_pos IS NULL AND mine.left_pos IS NULL)"""


class Window(NamedTuple):
    """The part of a room one membership shows; every path to a socket or a page asks it."""

    visible_from_seq: int
    joined_pos: int
    left_pos: int | None

    def shows(self, *, pos: int, seq: int) -> bool:
        """Whether a change may be told; `seq` is its message's, and 0 for all that has none."""
        if seq and seq < self.visible_from_seq:
            return False
        return self.joined_pos <= pos and (self.left_pos is None or pos <= self.left_pos)


def window_of(member: Member) -> Window:
    return Window(member.visible_from_seq, member.joined_pos, member.left_pos)


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
