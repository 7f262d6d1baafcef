"""What a client holds: rooms with their messages and people, and what each frame makes of them."""

from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]
MOST_ROOMS = 1_000  # In one `sync`.


def keep(held: dict[Any, Frame], key: object, version: Frame) -> None:
    """Of two versions the one with the higher `pos` is right, whichever way it came."""
    if key not in held or held[key]["pos"] <= version["pos"]:
        held[key] = version


@dataclass
class Room:
    """A room up to its change `pos`; while `behind`, events are kept but do not move it.

    `reads` says how far each of its people has read.
    """

    pos: int
    behind: bool = True
    loaded: bool = False
    messages: dict[int, Frame] = field(default_factory=dict)
    members: dict[str, Frame] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)

    def apply(self, event: Frame) -> None:
        if event["type"].startswith("message"):
            message = {key: event[key] for key in event.keys() - {"type", "change"}}
            keep(self.messages, message["id"], message)
        else:
            keep(self.members, event["user_id"], event | {"here": event["type"] == "member.joined"})
        if not self.behind:
            self.pos = max(self.pos, event["pos"])

    def load(self, shown: Frame, history: list[Frame]) -> None:
        """Take in what HTTP says; it moves nothing, as events before it may still be coming."""
        for message in history:
            keep(self.messages, message["id"], message)
        for person in shown["participants"]:
            keep(self.members, person["user_id"], person | {"pos": shown["pos"], "here": True})
            self.mark({person["user_id"]: person["last_read_seq"]})
        self.loaded = True

    def mark(self, reads: dict[str, int]) -> None:
        """Markers only move forward, whichever way one hears of them."""
        for user_id, seq in reads.items():
            self.reads[user_id] = max(seq, self.reads.get(user_id, 0))


@dataclass
class Replica:
    """All that one person holds; `user_pos` says how much of what is personal.

    What it returns is to be said to the server, in this order.
    """

    user_id: str = ""
    epoch: str = ""
    user_pos: int = 0
    rooms: dict[int, Room] = field(default_factory=dict)
    user_behind: bool = True

    @property
    def is_current(self) -> bool:
        held = all(room.loaded and not room.behind for room in self.rooms.values())
        return bool(self.epoch) and held and not self.user_behind

    def fall_behind(self) -> list[Frame]:
        """Move no more, until all that was told since then is told."""
        self.user_behind = True
        for room in self.rooms.values():
            room.behind = True
        held = [(room_id, room.pos) for room_id, room in self.rooms.items()]
        pages = [dict(held[n : n + MOST_ROOMS]) for n in range(0, len(held), MOST_ROOMS)]
        return [self._sync(user_pos=self.user_pos), *(self._sync(rooms=page) for page in pages)]

    def apply(self, frame: Frame) -> list[Frame]:
        room_id = frame.get("room", 0)
        room = self.rooms.get(room_id)
        match frame["type"]:
            case "message" | "message.updated" | "member.joined" | "member.left" if room:
                self._apply_to(room, frame)
            case "read" if room:
                room.mark({frame["user_id"]: frame["seq"]})
            case "room.added" | "me.changed":
                return self._apply_personally(frame, room)
            case "error" if (frame["code"], frame.get("ref")) == ("not_found", "sync"):
                self.rooms.pop(room_id, None)
            case "synced" if "user_pos" in frame:
                return self._synced_personally(frame)
            case "synced":
                return self._synced(frame, room_id)
        return []

    def _apply_to(self, room: Room, event: Frame) -> None:
        if event["type"] != "member.left" or event["user_id"] != self.user_id:
            room.apply(event)
        elif event["pos"] > room.pos:  # An older one is from before he was added again.
            del self.rooms[event["room"]]

    def _apply_personally(self, frame: Frame, room: Room | None) -> list[Frame]:
        if not self.user_behind:
            self.user_pos = max(self.user_pos, frame["user_pos"])
        if frame["type"] == "room.added":
            self.rooms[frame["room"]] = Room(frame["pos"])
            return [self._sync(rooms={frame["room"]: frame["pos"]})]
        if room:
            room.mark({self.user_id: frame["last_read_seq"]})
        return []

    def _synced(self, frame: Frame, room_id: int) -> list[Frame]:
        pos, more = frame["pos"], frame["more"]
        room = self.rooms.get(room_id)
        if frame["epoch"] != self.epoch:
            self.epoch = ""  # Nothing held is worth anything.
        if not self.epoch or room is None:
            return []
        if not frame["complete"]:
            self.rooms[room_id] = room = Room(pos)
        room.pos, room.behind = pos, more
        room.mark(frame.get("reads", {}))
        return [self._sync(rooms={room_id: pos})] if more else []

    def _synced_personally(self, frame: Frame) -> list[Frame]:
        if frame["epoch"] != self.epoch or not frame["complete"]:
            self.epoch = ""
        self.user_pos, self.user_behind = frame["user_pos"], frame["more"]
        return [self._sync(user_pos=self.user_pos)] if self.user_behind else []

    def _sync(self, **positions: object) -> Frame:
        return {"type": "sync", "ref": "sync", "epoch": self.epoch, **positions}
