"""Telling a room that somebody is writing."""

from messaging.broadcast import publish
from messaging.events import typing
from messaging.permissions import member_of, refusal_to_write, tie_in
from messaging.permissions.large_rooms import TYPING_UP_TO
from messaging.queries.rooms import has_at_most


def tell_typing(*, user_id: str, username: str, room_id: int, is_typing: bool) -> None:
    """Tell the other members, those who are connected now; nothing is kept. Raises NotFound.

    In rooms of more than 500 nobody is told, nor where he could not send.
    """
    member = member_of(user_id=user_id, room_id=room_id)
    if refusal_to_write(tie_in(member.room)):
        return
    if has_at_most(TYPING_UP_TO, room_id=room_id):
        event = typing(
            room_id=room_id,
            as_of=member.room.pos,
            user_id=user_id,
            username=username,
            is_typing=is_typing,
        )
        publish([event])
