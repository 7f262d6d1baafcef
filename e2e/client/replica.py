"""What a client holds, and how each frame changes it: every rule of keeping up, no network."""

from __future__ import annotations

from typing import Final

from e2e.client.room import Frame, Room

# Stands beside room ids, for what is personal.
ME: Final = 0
# The `ref` of every sync: what is refused with it is a room that is not his any more.
SYNC: Final = "sync"


class Replica:
    """One person's rooms; `take_wishes` says what he has to ask for next.

    `user_pos` is his position in what is personal, which the socket of one room does not tell.
    """

    def __init__(self, *, personal: bool = True) -> None:
        self.user_id = self.epoch = ""
        self.user_pos = 0
        self.user_behind = False
        self._personal = personal
        self.rooms: dict[int, Room] = {}
        self.people: dict[str, Frame] = {}
        self._to_sync: set[int] = set()
        self._to_fetch: set[int] = set()

    @property
    def is_current(self) -> bool:
        """Every room is loaded and caught up."""
        held = all(room.loaded and not room.behind for room in self.rooms.values())
        return bool(self.epoch) and held and not self.user_behind

    def apply(self, frame: Frame) -> None:
        """Take in an event, whatever it is; what is not known is ignored."""
        kind, room = frame["type"], self.rooms.get(frame.get("room", 0))
        if kind == "ready":
            self._ready(frame)
        elif kind == "synced" and frame["epoch"] != self.epoch:
            self.start_over()
        elif "user_pos" in frame:
            self._to_me(frame, room)
        elif kind in {"presence", "presences", "user.changed"}:
            self._people(frame)
        elif room is not None:
            self._in_room(frame, room)

    def keep(self, message: Frame | None) -> None:
        """Take in a message of an answer: the room is not moved by it, others may come first."""
        if message and (room := self.rooms.get(message["room"])):
            room.keep(message)

    def take_wishes(self) -> tuple[Frame, dict[int, Room]]:
        """What to sync, if anything, and the rooms to fetch; each wish is told once."""
        rooms = {str(id_): self.rooms[id_].pos for id_ in self._to_sync & self.rooms.keys()}
        sync: Frame = {"rooms": rooms} if rooms else {}
        if ME in self._to_sync:
            sync["user_pos"] = self.user_pos
        fetch = {id_: self.rooms[id_] for id_ in self._to_fetch & self.rooms.keys()}
        self._to_sync, self._to_fetch = set(), set()
        return sync, fetch

    def begin(self, room_id: int, pos: int) -> None:
        """Hold a room from a position on, nothing of it yet."""
        self.rooms[room_id] = Room(pos)
        self._to_sync.add(room_id)
        self._to_fetch.add(room_id)

    def forget(self, room_id: int) -> None:
        self.rooms.pop(room_id, None)

    def start_over(self) -> None:
        """Nothing held is worth anything: the next `ready` begins anew."""
        self.rooms.clear()
        self.epoch = ""

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
        elif self._personal:
            self.user_behind = True
            self._to_sync.add(ME)
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

    def _to_me(self, frame: Frame, room: Room | None) -> None:
        match frame["type"]:
            case "room.added":
                self.begin(frame["room"], frame["pos"])
            case "me.changed" if room:
                room.mark_read(self.user_id, frame["last_read_seq"])
            case "synced" if not frame["complete"]:
                self.start_over()
            case "synced":
                self.user_pos, self.user_behind = frame["user_pos"], frame["more"]
                self._to_sync |= {ME} if frame["more"] else set()
        if not self.user_behind:
            self.user_pos = max(self.user_pos, frame["user_pos"])

    def _in_room(self, frame: Frame, room: Room) -> None:
        match frame["type"]:
            case "message" | "message.updated":
                if room.reads.get(frame["sender_id"]) == frame["seq"] - 1:
                    # Whoever sends with nothing unread has read his own message too.
                    room.mark_read(frame["sender_id"], frame["seq"])
                room.keep({k: v for k, v in frame.items() if k not in {"type", "change"}})
                room.move_to(frame["pos"])
            case "member.left" if frame["user_id"] == self.user_id:
                # One from before he was added again comes too late to mean anything.
                if frame["pos"] > room.pos:
                    self.forget(frame["room"])
            case "member.joined" | "member.left":
                here = frame["type"] == "member.joined"
                named = {key: frame[key] for key in ("pos", "username", "role")}
                room.keep_member(frame["user_id"], here=here, **named)
                if here:
                    # Whoever comes has nothing unread.
                    room.mark_read(frame["user_id"], room.last_seq)
                room.move_to(frame["pos"])
            case "read":
                room.mark_read(frame["user_id"], frame["seq"])
            case "synced":
                self._synced(frame, room)
            case "error" if frame["code"] == "not_found" and frame.get("ref") == SYNC:
                self.forget(frame["room"])

    def _synced(self, frame: Frame, room: Room) -> None:
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
