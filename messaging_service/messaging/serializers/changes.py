"""What somebody asks who catches up: positions, and the epoch they are of."""

from typing import Any, Final

from rest_framework import serializers

from messaging.serializers.fields import LARGEST_ID, as_id

MOST_ROOMS: Final = 1_000


class PositionsField(serializers.Field[dict[int, int], Any, dict[int, int], Any]):
    """By room the position that is known of it: `{"1": 41}`, at most 1,000 rooms.

    One error for all, however many there are: DRF's own field would show each.
    """

    default_error_messages = {
        "invalid": "An object is expected: by each room's number a position.",
        "max_length": f"At most {MOST_ROOMS} rooms at once.",
    }

    def to_internal_value(self, data: object) -> dict[int, int]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > MOST_ROOMS:
            self.fail("max_length")
        positions = {as_id(name) or 0: pos for name, pos in data.items()}
        if not all(0 < id_ <= LARGEST_ID and _is_position(pos) for id_, pos in positions.items()):
            self.fail("invalid")
        return positions

    def to_representation(self, value: dict[int, int]) -> dict[int, int]:
        return value


def _is_position(pos: object) -> bool:
    return isinstance(pos, int) and not isinstance(pos, bool) and 0 <= pos <= LARGEST_ID


class EpochField(serializers.CharField):
    """Which epoch the positions are of; left out, the current one."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as DRF has it.
        super().__init__(required=False, max_length=64, **options)


class AfterField(serializers.IntegerField):
    """A position."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as DRF has it.
        super().__init__(min_value=0, max_value=LARGEST_ID, **options)


class AfterInput(serializers.Serializer[Any]):
    """Since a position of one room, or of what is personal."""

    after = AfterField()
    epoch = EpochField(help_text="Of which the position is.")


class RoomsInput(serializers.Serializer[Any]):
    """By room the position that is known of it."""

    rooms = PositionsField()
    epoch = EpochField()


class SyncInput(serializers.Serializer[Any]):
    """The `sync` command: `after` on a room's socket, `rooms` and `user_pos` on the others."""

    after = AfterField(required=False)
    rooms = PositionsField(required=False)
    user_pos = AfterField(required=False)
    epoch = EpochField()


after_input: Final = AfterInput()
rooms_input: Final = RoomsInput()
sync_input: Final = SyncInput()
