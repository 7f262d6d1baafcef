"""A replica that keeps all that is told: read markers and new names too."""

from dataclasses import dataclass, field

from e2e.replica import Frame, Replica, Room


@dataclass
class Marked(Replica):
    """What a client may keep besides: how far everybody has read, and what they are called."""

    reads: dict[int, dict[str, int]] = field(default_factory=dict)

    def apply(self, frame: Frame) -> list[Frame]:
        to_sync = super().apply(frame)
        if frame["type"] == "user.changed":
            self._rename(frame)
        elif room := self.rooms.get(frame.get("room", 0)):
            self._mark(frame, room, self.reads.setdefault(frame["room"], {}))
        return to_sync

    def load(self, room_id: int, shown: Frame, history: list[Frame]) -> None:
        self.rooms[room_id].load(shown, history)
        self.reads[room_id] = {
            each["user_id"]: each["last_read_seq"] for each in shown["participants"]
        }

    def people(self, room_id: int) -> set[str]:
        members = self.rooms[room_id].members
        return {user_id for user_id, member in members.items() if member["here"]}

    def _mark(self, frame: Frame, room: Room, reads: dict[str, int]) -> None:
        match frame["type"]:
            case "read":
                reads[frame["user_id"]] = frame["seq"]
            case "me.changed":
                reads[self.user_id] = frame["last_read_seq"]
            case "message" if reads[frame["sender_id"]] == frame["seq"] - 1:
                # Whoever sends with nothing unread has read his own message too.
                reads[frame["sender_id"]] = frame["seq"]
            case "member.joined":
                # Whoever comes has nothing unread.
                reads[frame["user_id"]] = max(each["seq"] for each in room.messages.values())
            case "member.left":
                del reads[frame["user_id"]]

    def _rename(self, frame: Frame) -> None:
        named = {"sender_username": frame["username"], "sender_name": frame["display_name"]}
        for room in self.rooms.values():
            for message in room.messages.values():
                if message["sender_id"] == frame["user_id"]:
                    message.update(named)
