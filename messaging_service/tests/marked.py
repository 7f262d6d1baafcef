"""A replica that keeps all that is told, and all that follows from it."""

from dataclasses import dataclass, field

from e2e.replica import Frame, Replica, Room


@dataclass
class Ties:
    """Somebody's contacts and requests that are not over, and whom he blocks."""

    contacts: dict[int, Frame] = field(default_factory=dict)
    blocks: dict[str, Frame] = field(default_factory=dict)

    def apply(self, frame: Frame) -> None:
        """Take in what a `me.changed` tells of them."""
        if contact := frame.get("contact"):
            self.contacts[contact["id"]] = contact
            if contact["state"] not in {"pending", "accepted"}:
                self.contacts.pop(contact["id"])
        if block := frame.get("block"):
            self.blocks[block["user_id"]] = block
            if block["is_lifted"]:
                del self.blocks[block["user_id"]]


@dataclass
class Marked(Replica):
    """What a client may know besides: whose markers moved without a word, new names, and ties."""

    ties: Ties = field(default_factory=Ties)

    def apply(self, frame: Frame) -> list[Frame]:
        asked = super().apply(frame)
        if frame["type"] == "me.changed":
            self.ties.apply(frame)
        if frame["type"] == "user.changed":
            self._rename(frame)
        elif room := self.rooms.get(frame.get("room", 0)):
            self._mark(frame, room)
        return asked

    def people(self, room_id: int) -> set[str]:
        members = self.rooms[room_id].members
        return {user_id for user_id, member in members.items() if member["here"]}

    def _mark(self, frame: Frame, room: Room) -> None:
        match frame["type"]:
            case "message" if room.reads[frame["sender_id"]] == frame["seq"] - 1:
                # Whoever sends with nothing unread has read his own message too.
                room.mark({frame["sender_id"]: frame["seq"]})
            case "member.joined":
                # Whoever comes has nothing unread.
                room.mark({frame["user_id"]: max(each["seq"] for each in room.messages.values())})
            case "member.left":
                del room.reads[frame["user_id"]]

    def _rename(self, frame: Frame) -> None:
        named = {"sender_username": frame["username"], "sender_name": frame["display_name"]}
        for room in self.rooms.values():
            for message in room.messages.values():
                if message["sender_id"] == frame["user_id"]:
                    message.update(named)
        for contact in self.ties.contacts.values():
            if contact["user_id"] == frame["user_id"]:
                contact["username"] = frame["username"]
