"""What bodies look like, for the OpenAPI document: an example of each component, by its name."""

from typing import Any, Final

from service_kit.openapi import put_examples

CLIENT_ID: Final = "5f0a2f0e-7f0d-4b57-9d38-2f4a1c0b6e11"
EPOCH: Final = "9d1f6a3e-52d4-4c0a-8a1b-7c3e0f5d2b64"
MOMENT: Final = "2026-01-29T10:30:00.123456Z"
LAST_PAGE: Final = {"next": None, "previous": None}
ALICE: Final = {"user_id": "1", "username": "alice", "display_name": "Alice", "avatar": None}
BOB: Final = {"user_id": "2", "username": "bob", "display_name": "Bob", "avatar": None}
MESSAGE: Final[dict[str, Any]] = {
    "id": 5,
    "room": 1,
    "seq": 5,
    "pos": 5,
    "created_pos": 5,
    "sender_id": "1",
    "sender_username": "alice",
    "sender_name": "Alice",
    "content": "Hello from Alice",
    "message_type": "text",
    "timestamp": MOMENT,
    "client_id": CLIENT_ID,
    "reply_to": None,
    "thread_count": 0,
    "forward_from": None,
    "mentions": [],
    "attachments": [],
    "location": None,
    "poll": None,
    "system": None,
    "reactions": [],
    "is_edited": False,
    "edited_at": None,
    "is_deleted": False,
    "deleted_at": None,
    "is_pinned": False,
    "pinned_at": None,
}
MEMBERSHIP: Final = {
    "role": "member",
    "joined_at": "2026-01-29T10:12:44.000312Z",
    "last_read_seq": 4,
    "muted_until": None,
}
ROOM: Final[dict[str, Any]] = {
    "id": 1,
    "room_id": 1,
    "room_type": "direct",
    "name": "",
    "description": "",
    "image": None,
    "is_private": True,
    "max_participants": 2,
    "is_archived": False,
    "created_by": "1",
    "created_at": "2026-01-29T10:12:44.000312Z",
    "updated_at": MOMENT,
    "last_activity": MOMENT,
    "messages_count": 5,
    "seq": 5,
    "pos": 5,
    "participant_a": "1",
    "participant_b": "2",
    "participants": [{**ALICE, **MEMBERSHIP}, {**BOB, **MEMBERSHIP}],
    "participants_count": 2,
    "last_message": MESSAGE,
    "unread_count": 1,
    "last_read_seq": 4,
    "role": "member",
}
MARKER: Final = {
    "id": 2,
    "room": 1,
    "message": 5,
    "user_id": "2",
    "seq": 5,
    "read_at": "2026-01-29T10:30:02.448120Z",
}
PRESENCE: Final = {
    "user_id": "2",
    "username": "bob",
    "status": "online",
    "last_seen": MOMENT,
    "custom_status": "At lunch",
    "status_emoji": "🍜",
    "status_expires_at": "2026-01-29T12:00:00.000000Z",
    "away_since": None,
    "total_online_time": 5400,
}
CONTACT: Final = {
    "id": 3,
    "user_id": "2",
    "username": "bob",
    "direction": "outgoing",
    "state": "pending",
    "created_at": MOMENT,
}
BLOCK: Final = {"user_id": "9", "username": "mallory", "created_at": MOMENT, "is_lifted": False}
CHANGES: Final = {
    "events": [{"type": "message", **MESSAGE}],
    "pos": 5,
    "epoch": EPOCH,
    "complete": True,
    "more": False,
    "reads": {"1": 5, "2": 4},
}
HISTORY: Final = {
    "results": [MESSAGE],
    "previous": "http://localhost:8000/api/chat/rooms/1/messages/?before=5&limit=1",
    "next": None,
    "pos": 5,
    "epoch": EPOCH,
}
UNREAD: Final = {
    "total": 1,
    "mentions": 0,
    "rooms": [{"room": 1, "unread_count": 1, "mention_count": 0, "last_message": MESSAGE}],
}
EDIT: Final = {"content": "Hello from Alice and her cat"}
SENDING: Final = {"content": "Hello from Alice", "client_id": CLIENT_ID}
STATUS: Final = {"status": "away", "custom_status": "At lunch", "status_emoji": "🍜"}

EXAMPLES: Final[dict[str, object]] = {
    "RoomInputRequest": {"username": "bob"},
    "RoomOutput": ROOM,
    "RoomPageOutput": {**LAST_PAGE, "results": [ROOM]},
    "OpenedRoomOutput": {**ROOM, "created": False},
    "MessageInputRequest": SENDING,
    "PlacedMessageInputRequest": {"room": 1, **SENDING},
    "EditInputRequest": EDIT,
    "PatchedEditInputRequest": EDIT,
    "MessageOutput": MESSAGE,
    "MessagesOutput": HISTORY,
    "HistoryOutput": HISTORY,
    "ReadInputRequest": {"room": 1, "seq": 5},
    "MarkerOutput": MARKER,
    "MarkerPageOutput": {**LAST_PAGE, "results": [MARKER]},
    "UnreadOutput": UNREAD,
    "RoomsInputRequest": {"rooms": {"1": 4, "2": 0}, "epoch": EPOCH},
    "PersonInputRequest": {"username": "bob"},
    "ContactOutput": CONTACT,
    "ContactPageOutput": {**LAST_PAGE, "results": [CONTACT]},
    "BlockOutput": BLOCK,
    "BlockPageOutput": {**LAST_PAGE, "results": [BLOCK]},
    "BlockedInputRequest": {"user_id": "9"},
    "ChangesOutput": CHANGES,
    "RoomsChangesOutput": {"rooms": {"1": CHANGES, "2": None}},
    "ProfilesOutput": {**LAST_PAGE, "results": [ALICE, BOB]},
    "PresenceInputRequest": STATUS,
    "PatchedPresenceInputRequest": STATUS,
    "PresenceOutput": PRESENCE,
    "PresencePageOutput": {**LAST_PAGE, "results": [PRESENCE]},
    "ExportPageOutput": {
        "next": "http://localhost:8000/api/chat/me/export/?cursor=messages.",
        "previous": None,
        "part": "profile",
        "results": [ALICE],
    },
    "TicketOutput": {"ticket": "Zq7mT2vX9cLr4JwB8sNfKd", "expires_in": 30},
}


def add_examples(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Work as one of drf-spectacular's POSTPROCESSING_HOOKS."""
    return put_examples(result, EXAMPLES)
