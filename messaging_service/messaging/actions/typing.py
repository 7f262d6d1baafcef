"""Telling a room that somebody is writing."""

from messaging.broadcast import publish
from messaging.events import typing
from messaging.permissions import member_of


def tell_typing(*, user_id: str, username: str, room_id: int, is_typing: bool) -> None:
    """Tell the other members, those who are connected now; nothing is kept. Raises NotFound."""
    member_of(user_id=user_id, room_id=room_id)
    event = typing(room_id=room_id, user_id=user_id, username=username, is_typing=is_typing)
    publish([event])
