"""What is asked of the writer, and its answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from messaging.serializers.messages import MessageRow, NewMessage
from service_kit.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message; `text` is its JSON. `duplicate`: an earlier request had stored it."""

    row: MessageRow
    text: bytes
    duplicate: bool


Outcome = Sent | Refusal


@dataclass(slots=True, eq=False)
class Send:
    """One message on its way; `settle` is called exactly once, from a thread of the writer.

    `is_counted` once it has been held against what its sender may send; `refusal` if that was too
    much.
    """

    room_id: int
    sender_id: str
    message: NewMessage
    settle: Callable[[Outcome], None]
    since: float = field(default_factory=monotonic)
    is_counted: bool = False
    refusal: Refusal | None = None
