"""Every real-time event: its name, its JSON text, and who may see it.

message          durable, ordered by `pos`      every member who may see the message
typing           passing, no `pos`              every member but its author
"""

from dataclasses import dataclass
from typing import Any

from messaging.serializers.messages import MessageRow
from service_kit.rendering import encode_json


@dataclass(frozen=True, slots=True)
class Event:
    """One frame for everybody in a room, as the JSON text clients get.

    `pos` orders durable events of the room; a passing one has 0. `seq` is the message's, else 0.
    `author_id` names the one person who is not told ("" for nobody).
    """

    room_id: int
    kind: str
    text: bytes
    pos: int = 0
    seq: int = 0
    author_id: str = ""


def message_sent(row: MessageRow, text: bytes) -> Event:
    """A new message; `text` is its JSON, made once by whoever stored it."""
    frame = b'{"type":"message",' + text[1:]
    return Event(room_id=row.room_id, kind="message", text=frame, pos=row.pos, seq=row.seq)


def typing(*, room_id: int, user_id: str, username: str, is_typing: bool) -> Event:
    body: dict[str, Any] = {
        "type": "typing",
        "room": room_id,
        "user_id": user_id,
        "username": username,
        "is_typing": is_typing,
    }
    return Event(room_id=room_id, kind="typing", text=encode_json(body), author_id=user_id)
