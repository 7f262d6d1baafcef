"""A replica that keeps all that is told, and all that follows from it."""

from e2e.replica import Frame, Replica, Room


class Marked(Replica):
    """What a client may know besides: whose markers moved without a word, and new names."""

    def apply(self, frame: Frame) -> list[Frame]:
        asked = super().apply(frame)
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
