"""What of a room is kept, to compare before and after."""

from dataclasses import dataclass

from messaging.models import Member, Message, Room


@dataclass(frozen=True)
class State:
    """What a refused or repeated act must leave as it was."""

    counters: tuple[object, ...]
    markers: list[tuple[str, int]]
    messages: int
    rooms: int


def state_of(room_id: int) -> State:
    counted = ("seq", "pos", "last_activity", "updated_at")
    return State(
        counters=Room.objects.values_list(*counted).get(pk=room_id),
        markers=list(
            Member.objects.filter(room_id=room_id)
            .order_by("user_id")
            .values_list("user_id", "last_read_seq")
        ),
        messages=Message.objects.count(),
        rooms=Room.objects.count(),
    )
