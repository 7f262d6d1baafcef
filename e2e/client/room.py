"""One room as a client holds it."""

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
            if not member["here"]:
                self.reads.pop(user_id, None)

    def mark_read(self, user_id: str, seq: int) -> None:
        self.reads[user_id] = max(seq, self.reads.get(user_id, 0))

    def move_to(self, pos: int) -> None:
        if not self.behind:
            self.pos = max(self.pos, pos)

    @property
    def last_seq(self) -> int:
        return max((message["seq"] for message in self.messages.values()), default=0)

    @property
    def people(self) -> set[str]:
        return {user_id for user_id, member in self.members.items() if member["here"]}
