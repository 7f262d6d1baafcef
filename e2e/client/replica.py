"""What a client holds, and how each frame changes it: every rule of keeping up, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass(slots=True)
class Room:
    """A room up to `pos`; while it is `behind`, frames are applied but move nothing."""

    pos: int
    behind: bool = True
    loaded: bool = False
    messages: dict[int, Frame] = field(default_factory=dict)
    members: dict[str, Frame] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)

    def keep(self, message: Frame) -> None:
        """Of two versions the one with the higher `pos` is right, whichever way it came."""
        held = self.messages.get(message["id"])
        if held is None or held["pos"] < message["pos"]:
            self.messages[message["id"]] = message

    def keep_member(self, user_id: str, **member: Any) -> None:
        held = self.members.get(user_id)
        if held is None or held["pos"] <= member["pos"]:
            self.members[user_id] = member

    def mark_read(self, user_id: str, seq: int) -> None:
        self.reads[user_id] = max(seq, self.reads.get(user_id, 0))

    def move_to(self, pos: int) -> None:
        if not self.behind:
            self.pos = max(self.pos, pos)

    @property
    def people(self) -> set[str]:
        return {user_id for user_id, member in self.members.items() if member["here"]}


class Replica:
    """One person's rooms; `take_wishes` says what he has to ask for next."""

    def __init__(self) -> None:
        self.user_id = self.epoch = ""
        self.user_pos = 0
        self.rooms: dict[int, Room] = {}
        self.people: dict[str, Frame] = {}
        self._to_sync: set[int] = set()
        self._to_fetch: set[int] = set()

    @property
    def is_current(self) -> bool:
        """Every room is loaded and caught up."""
        held = all(room.loaded and not room.behind for room in self.rooms.values())
        return bool(self.epoch) and held

    def apply(self, frame: Frame) -> None:
        """Take in an event, whatever it is; what is not known is ignored."""
        kind, room = frame["type"], self.rooms.get(frame.get("room", 0))
        if kind == "ready":
            self._ready(frame)
        elif kind in {"room.added", "me.changed"}:
            self._personal(frame, room)
        elif kind == "member.left" and frame["user_id"] == self.user_id:
            self.forget(frame["room"])
        elif kind in {"presence", "presences", "user.changed"}:
            self._people(frame)
        elif room is not None:
            self._in_room(frame, room)

    def keep(self, message: Frame | None) -> None:
        """Take in a message of an answer: the room is not moved by it, others may come first."""
        if message and (room := self.rooms.get(message["room"])):
            room.keep(message)

    def take_wishes(self) -> tuple[dict[int, Room], dict[int, Room]]:
        """The rooms to sync from where they stand, and those to fetch; each is said once."""
        sync, fetch = (
            {room_id: self.rooms[room_id] for room_id in wished & self.rooms.keys()}
            for wished in (self._to_sync, self._to_fetch)
        )
        self._to_sync, self._to_fetch = set(), set()
        return sync, fetch

    def begin(self, room_id: int, pos: int) -> None:
        """Hold a room from a position on, nothing of it yet."""
        self.rooms[room_id] = Room(pos)
        self._to_sync.add(room_id)
        self._to_fetch.add(room_id)

    def forget(self, room_id: int) -> None:
        self.rooms.pop(room_id, None)

    def load(self, room: Room, shown: Frame, history: list[Frame]) -> None:
        """Take in what HTTP says of a room: perhaps more than was told, perhaps less."""
        for message in history:
            room.keep(message)
        here = {person["user_id"]: person for person in shown["participants"]}
        is_whole = len(here) == shown["participants_count"]
        for user_id in room.members.keys() - here if is_whole else ():
            room.keep_member(user_id, pos=shown["pos"], here=False)
        for user_id, person in here.items():
            named = {key: person[key] for key in ("username", "role")}
            room.keep_member(user_id, pos=shown["pos"], here=True, **named)
            room.mark_read(user_id, person["last_read_seq"])
        room.loaded = True

    def _ready(self, frame: Frame) -> None:
        if frame["epoch"] != self.epoch:
            self.rooms.clear()
            self.user_pos = frame["user_pos"]
        self.user_id, self.epoch = frame["user_id"], frame["epoch"]
        listed = {room["room"]: room["pos"] for room in frame["rooms"]}
        for room_id in [] if frame["more"] else self.rooms.keys() - listed:
            self.forget(room_id)
        for room_id, room in self.rooms.items():
            room.behind = True
            self._to_sync.add(room_id)
            self._to_fetch |= set() if room.loaded else {room_id}
        for room_id in listed.keys() - self.rooms:
            self.begin(room_id, listed[room_id])

    def _personal(self, frame: Frame, room: Room | None) -> None:
        self.user_pos = max(self.user_pos, frame["user_pos"])
        if frame["type"] == "room.added":
            self.begin(frame["room"], frame["pos"])
        elif room:
            room.mark_read(self.user_id, frame["last_read_seq"])

    def _in_room(self, frame: Frame, room: Room) -> None:
        match frame["type"]:
            case "message" | "message.updated":
                room.keep({k: v for k, v in frame.items() if k not in {"type", "change"}})
                room.move_to(frame["pos"])
            case "member.joined" | "member.left":
                here = frame["type"] == "member.joined"
                named = {key: frame[key] for key in ("pos", "username", "role")}
                room.keep_member(frame["user_id"], here=here, **named)
                room.move_to(frame["pos"])
            case "read":
                room.mark_read(frame["user_id"], frame["seq"])
            case "synced":
                self._synced(frame, room)

    def _synced(self, frame: Frame, room: Room) -> None:
        if frame["epoch"] != self.epoch:
            # A backup was restored: nothing held is worth anything. The next `ready` begins anew.
            self.rooms.clear()
            self.epoch = ""
            return
        if not frame["complete"]:
            self.begin(frame["room"], frame["pos"])
            room = self.rooms[frame["room"]]
            self._to_sync.discard(frame["room"])
        room.pos, room.behind = frame["pos"], frame["more"]
        self._to_sync |= {frame["room"]} if frame["more"] else set()
        for user_id, seq in frame.get("reads", {}).items():
            room.mark_read(user_id, seq)

    def _people(self, frame: Frame) -> None:
        match frame["type"]:
            case "presence":
                self.people[frame["user_id"]] = frame
            case "presences":
                self.people |= {user["user_id"]: user for user in frame["users"]}
            case "user.changed":
                self._rename(frame)

    def _rename(self, frame: Frame) -> None:
        for room in self.rooms.values():
            if member := room.members.get(frame["user_id"]):
                member["username"] = frame["username"]
            for message in room.messages.values():
                if message["sender_id"] == frame["user_id"]:
                    message["sender_username"] = frame["username"]
                    message["sender_name"] = frame["display_name"]
