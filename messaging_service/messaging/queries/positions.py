"""Where rooms and people stand, and within which epoch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from messaging.models import Epoch, Profile
from messaging.permissions import LARGEST_ID, Window
from messaging.queries.statements import read_rows

# One statement each, so one moment; a row says the epoch even to who is in no room.
_STANDINGS: Final = """
SELECT epoch.value::text, coalesce(person.pos, 0), room.id, room.pos, room.seq,
       me.last_read_seq, me.visible_from_seq, me.joined_pos
"""
_EVERYWHERE: Final = f"""
{_STANDINGS} FROM epoch
LEFT JOIN profiles person ON person.user_id = %(user_id)s
LEFT JOIN (members me JOIN rooms room ON room.id = me.room_id)
    ON me.user_id = %(user_id)s AND me.left_pos IS NULL
ORDER BY room.last_activity DESC, room.id DESC
"""
_IN_ROOMS: Final = f"""
{_STANDINGS} FROM epoch
CROSS JOIN unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS asked(user_id, room_id, n)
LEFT JOIN profiles person ON person.user_id = asked.user_id
LEFT JOIN (members me JOIN rooms room ON room.id = me.room_id)
    ON me.user_id = asked.user_id AND me.room_id = asked.room_id AND me.left_pos IS NULL
ORDER BY asked.n
"""

_ROOMS_ELSEWHERE: Final = """
SELECT room.id, room.pos
FROM unnest(%s::bigint[], %s::bigint[]) AS here(id, pos)
JOIN rooms room ON room.id = here.id AND room.pos <> here.pos
"""

_PEOPLE_ELSEWHERE: Final = """
SELECT person.user_id, person.pos
FROM unnest(%s::text[], %s::bigint[]) AS here(user_id, pos)
JOIN profiles person ON person.user_id = here.user_id AND person.pos <> here.pos
"""


class Standing(NamedTuple):
    """Where a room stands for one of its members."""

    room_id: int
    pos: int
    seq: int
    last_read_seq: int
    window: Window


class Standings(NamedTuple):
    """Where everything stands for somebody, at one moment."""

    epoch: str
    user_pos: int
    rooms: list[Standing]


def standings_of(user_id: str) -> Standings:
    """Every room this person is in, the one with the newest message first."""
    return _standings(read_rows(_EVERYWHERE, {"user_id": user_id}))


def standings_in(asked: Sequence[tuple[str, int]]) -> list[Standings]:
    """For each of these people and rooms, in this order; without a room for a stranger to it."""
    # Postgres would refuse a number that cannot be an id, and with it all the others.
    room_ids = [room_id if room_id <= LARGEST_ID else 0 for _, room_id in asked]
    rows = read_rows(_IN_ROOMS, [[user_id for user_id, _ in asked], room_ids])
    return [_standings([row]) for row in rows]


def _standings(rows: Sequence[tuple[Any, ...]]) -> Standings:
    epoch, user_pos = rows[0][:2]
    rooms = [
        Standing(room_id, pos, seq, last_read_seq, Window(visible_from_seq, joined_pos, None))
        for _, _, room_id, pos, seq, last_read_seq, visible_from_seq, joined_pos in rows
        if room_id is not None
    ]
    return Standings(epoch, user_pos, rooms)


def rooms_elsewhere(positions: Mapping[int, int]) -> dict[int, int]:
    """Of the given rooms those that are at another position than the given, and at which."""
    # As one text each: a thousand numbers by themselves cost psycopg2 and Postgres 3 ms more.
    asked = [_array(positions.keys()), _array(positions.values())]
    return dict(read_rows(_ROOMS_ELSEWHERE, asked))


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def people_elsewhere(positions: Mapping[str, int]) -> dict[str, int]:
    """The same of what is personal to people."""
    return dict(read_rows(_PEOPLE_ELSEWHERE, [list(positions.keys()), list(positions.values())]))


def personal_position_of(user_id: str) -> int:
    """How far what is personal to somebody has come; 0 where nothing is known of him."""
    return Profile.objects.filter(pk=user_id).values_list("pos", flat=True).first() or 0


def current_epoch() -> str:
    """The age of this database; positions mean something only within one."""
    return str(Epoch.objects.values_list("value", flat=True).get())
