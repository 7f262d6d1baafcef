"""What can be listened to: a room, or what is personal to somebody."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from messaging.events import room_channel, user_channel
from messaging.queries.changes import Refill, personal_changes, room_refill


class Stream(Protocol):
    """Numbered events of one channel, which Postgres can tell as well."""

    @property
    def channel(self) -> str: ...

    def read(self, *, after: int, user_ids: Sequence[str]) -> Refill:
        """A page of what is after a position; called in a database thread."""


class RoomStream(NamedTuple):
    room_id: int

    @property
    def channel(self) -> str:
        return room_channel(self.room_id)

    def read(self, *, after: int, user_ids: Sequence[str]) -> Refill:
        return room_refill(room_id=self.room_id, after=after, user_ids=user_ids)


class PersonStream(NamedTuple):
    user_id: str

    @property
    def channel(self) -> str:
        return user_channel(self.user_id)

    def read(self, *, after: int, user_ids: Sequence[str]) -> Refill:  # noqa: ARG002 - only he hears it.
        changes = personal_changes(user_id=self.user_id, after=after)
        return Refill(changes.events, changes.pos, changes.more, {}, changes.complete)
