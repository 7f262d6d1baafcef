"""Every real-time event: its name, its JSON text, and who may see it.

Told in a room, durable, ordered by `pos`, to members who may see it:
    message             a new message
    message.updated     a message as it is after a change
    member.joined       somebody is a member from here on
    member.left         somebody is none any more; it is the last he is told
Told in a room, passing, to its members:
    typing              not to its author
    presence            somebody is not shown any more, or again, to the other of the two in it
    read                a marker moved forward
Told to one person, durable, ordered by `user_pos`:
    room.added          he is in this room from here on
    me.changed          a marker of his own moved, a contact or a block of his is another now
Told to one person, passing:
    unread              what is unread now, after a marker of his own moved
    user.changed        as below, of a contact who is in no room with him
Told to everybody in any of some rooms, passing:
    presence            somebody came, went, or says how he is
    user.changed        somebody has another name or picture
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from messaging.models import Member, Profile
from messaging.serializers.messages import MessageRow
from messaging.serializers.profiles import profile_json
from service_kit.rendering import encode_json

PEOPLE_CHANNEL: Final = "parley:people"


def room_channel(room_id: int) -> str:
    """Where to tell what happens in a room."""
    return f"parley:room:{room_id}"


def user_channel(user_id: str) -> str:
    """Where to tell what is personal to somebody."""
    return f"parley:user:{user_id}"


@dataclass(frozen=True, slots=True)
class Event:
    """One frame for everybody who may see it, as the JSON text clients get.

    `pos` orders the durable events of a channel; a passing one has 0. `seq` is the message's, else
    0. `author_id` names the one person who is not told ("" for nobody), `hidden_from` others who
    are not, though the rest of their room is. `subject` is a person and a number: told once more
    with a lower number, it is out of date.

    `rooms` is where a passing event is told, each room with the position it had when the event was
    made: it is for who is a member at that position, so a hub must have come so far. What is told
    on PEOPLE_CHANNEL goes once to every socket that is in any of them.
    """

    channel: str
    kind: str
    text: bytes
    pos: int = 0
    seq: int = 0
    author_id: str = ""
    subject: tuple[str, int] = ("", 0)
    rooms: tuple[tuple[int, int], ...] = ()
    hidden_from: tuple[str, ...] = ()


def message_sent(row: MessageRow, text: bytes) -> Event:
    """A new message; `text` is its JSON, made once by whoever stored it."""
    frame = b'{"type":"message",' + text[1:]
    return Event(room_channel(row.room_id), "message", frame, pos=row.pos, seq=row.seq)


def message_updated(row: MessageRow, text: bytes, *, change: str = "") -> Event:
    """A message as it is now; `change` is a hint, and left out where it is not known."""
    hint = encode_json({"change": change})[1:-1] + b"," if change else b""
    frame = b'{"type":"message.updated",' + hint + text[1:]
    return Event(room_channel(row.room_id), "message.updated", frame, pos=row.pos, seq=row.seq)


def member_joined(member: Member) -> Event:
    """`.user` must be loaded."""
    return _member_event("member.joined", member)


def member_left(member: Member) -> Event:
    """`.user` must be loaded."""
    return _member_event("member.left", member)


def _member_event(kind: str, member: Member) -> Event:
    body = {
        "type": kind,
        "room": member.room_id,
        "pos": member.pos,
        "user_id": member.user_id,
        "username": member.user.username,
        "role": member.role,
    }
    return Event(room_channel(member.room_id), kind, encode_json(body), pos=member.pos)


def typing(*, room_id: int, as_of: int, user_id: str, username: str, is_typing: bool) -> Event:
    """`as_of` is the room's position when its author was seen to be a member."""
    body = {
        "type": "typing",
        "room": room_id,
        "user_id": user_id,
        "username": username,
        "is_typing": is_typing,
    }
    rooms = ((room_id, as_of),)
    return Event(room_channel(room_id), "typing", encode_json(body), author_id=user_id, rooms=rooms)


def read(*, room_id: int, as_of: int, user_id: str, username: str, seq: int) -> Event:
    """`as_of` is the room's position when the marker moved."""
    body = {"type": "read", "room": room_id, "user_id": user_id, "username": username, "seq": seq}
    return Event(room_channel(room_id), "read", encode_json(body), rooms=((room_id, as_of),))


def room_added(*, user_id: str, user_pos: int, room: Mapping[str, Any]) -> Event:
    """`room` is the room's JSON without what depends on who looks."""
    body = {"type": "room.added", "user_pos": user_pos, "room": room["id"], **room}
    return Event(user_channel(user_id), "room.added", encode_json(body), pos=user_pos)


def me_changed(*, user_id: str, user_pos: int, room_id: int, last_read_seq: int) -> Event:
    body = {
        "type": "me.changed",
        "user_pos": user_pos,
        "room": room_id,
        "last_read_seq": last_read_seq,
    }
    return Event(user_channel(user_id), "me.changed", encode_json(body), pos=user_pos)


def contact_changed(*, user_id: str, user_pos: int, contact: Mapping[str, Any]) -> Event:
    """`contact` is the contact's JSON as this person sees it."""
    body = {"type": "me.changed", "user_pos": user_pos, "contact": contact}
    return Event(user_channel(user_id), "me.changed", encode_json(body), pos=user_pos)


def block_changed(*, user_id: str, user_pos: int, block: Mapping[str, Any]) -> Event:
    """`block` is the block's JSON, for its maker alone."""
    body = {"type": "me.changed", "user_pos": user_pos, "block": block}
    return Event(user_channel(user_id), "me.changed", encode_json(body), pos=user_pos)


def unread(*, user_id: str, room_id: int, unread_count: int, total: int) -> Event:
    text = encode_json(unread_json(room_id=room_id, unread_count=unread_count, total=total))
    return Event(user_channel(user_id), "unread", text)


def unread_json(*, room_id: int, unread_count: int, total: int) -> dict[str, Any]:
    return {
        "type": "unread",
        "room": room_id,
        "unread_count": unread_count,
        "mention_count": 0,
        "total": total,
    }


def presence(
    shown: Mapping[str, Any],
    *,
    number: int,
    rooms: Mapping[int, int],
    hidden_from: Iterable[str] = (),
) -> Event:
    """`shown` is the person's presence as others see it; `rooms` his rooms with their positions.

    `number` is higher than that of whatever was told of him before.
    """
    return Event(
        PEOPLE_CHANNEL,
        "presence",
        encode_json({"type": "presence", **shown}),
        subject=(shown["user_id"], number),
        rooms=tuple(rooms.items()),
        hidden_from=tuple(hidden_from),
    )


def presence_in_room(shown: Mapping[str, Any], *, room_id: int, as_of: int) -> Event:
    """The same in one room alone, not to the person himself; `as_of` is the room's position."""
    text = encode_json({"type": "presence", **shown})
    channel, rooms = room_channel(room_id), ((room_id, as_of),)
    return Event(channel, "presence", text, author_id=shown["user_id"], rooms=rooms)


def user_changed(profile: Profile, *, rooms: Mapping[int, int]) -> Event:
    text = encode_json({"type": "user.changed", **profile_json(profile)})
    return Event(PEOPLE_CHANNEL, "user.changed", text, rooms=tuple(rooms.items()))


def user_changed_to(user_id: str, profile: Profile) -> Event:
    """The same for one person, who is in no room with him."""
    text = encode_json({"type": "user.changed", **profile_json(profile)})
    return Event(user_channel(user_id), "user.changed", text)
