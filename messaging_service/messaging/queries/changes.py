"""What changed since a position: the rows that carry a later one, read in one snapshot.

room_changes        for somebody who catches up in his rooms
room_refill         for a hub that missed something in a room
personal_changes    for somebody who catches up with what is personal to him, and for his hub
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.db.backends.utils import CursorWrapper

from messaging.events import (
    Event,
    me_changed,
    member_joined,
    member_left,
    message_sent,
    message_updated,
    room_added,
)
from messaging.models import Member
from messaging.permissions import Window, window_of
from messaging.queries.positions import current_epoch, personal_position_of
from messaging.queries.rooms import show_rooms_to_anybody
from messaging.queries.snapshots import snapshot
from messaging.serializers.messages import MESSAGE_COLUMNS, MessageRow, message_text

MOST_CHANGES: Final = 1_000
PAGE_BYTES: Final = 256 * 1024
MOST_READERS: Final = 100
ANY_NUMBER: Final = MOST_CHANGES + 1

_STANDINGS: Final = """
SELECT me.room_id, room.pos, me.visible_from_seq, me.joined_pos
FROM members me JOIN rooms room ON room.id = me.room_id
WHERE me.user_id = %s AND me.room_id = ANY(%s) AND me.left_pos IS NULL
"""

# For each room at most so many changed messages, and of these at most a page: `found` tells of how
# many. What a message costs besides its content is guessed at 800 bytes.
_MESSAGES: Final = f"""
SELECT changed.*
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS asked(room_id, after, upto, visible_from_seq)
CROSS JOIN LATERAL (
    SELECT count(*) OVER () AS found, sum(size) OVER (ORDER BY pos) - size AS before, rows.*
    FROM (
        SELECT octet_length(m.content) + 800 AS size, {MESSAGE_COLUMNS}
        FROM messages m JOIN profiles p ON p.user_id = m.sender_id
        WHERE m.room_id = asked.room_id AND m.pos > asked.after AND m.pos <= asked.upto
            AND m.seq >= asked.visible_from_seq
        ORDER BY m.pos LIMIT {MOST_CHANGES + 1}
    ) AS rows
) AS changed
WHERE changed.before < {PAGE_BYTES}
ORDER BY changed.room_id, changed.pos
"""

_MEMBERS: Final = f"""
SELECT changed.id
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS asked(room_id, after, upto)
CROSS JOIN LATERAL (
    SELECT id FROM members m
    WHERE m.room_id = asked.room_id AND m.pos > asked.after AND m.pos <= asked.upto
    ORDER BY m.pos LIMIT {MOST_CHANGES + 1}
) AS changed
"""

_READERS: Final = f"""
SELECT asked.room_id, reader.user_id, reader.last_read_seq
FROM unnest(%s::bigint[]) AS asked(room_id)
CROSS JOIN LATERAL (
    SELECT user_id, last_read_seq FROM members m
    WHERE m.room_id = asked.room_id AND m.left_pos IS NULL LIMIT {MOST_READERS + 1}
) AS reader
"""


class Changes(NamedTuple):
    """Durable events in the order of their positions, and the position they lead to.

    With `more` there are later ones: ask again from `pos`. Without `complete` there are none here:
    whoever asked drops what he holds and starts from `pos` with what he can fetch. `reads` are the
    markers of a room's members, empty in large rooms.
    """

    events: list[Event]
    pos: int
    complete: bool = True
    more: bool = False
    window: Window = Window(1, 0, None)
    reads: Mapping[str, int] = {}


class CatchUp(NamedTuple):
    """What changed in some rooms; None for a room that is not there or not the caller's."""

    epoch: str
    rooms: dict[int, Changes | None]


class Refill(NamedTuple):
    """Changes for everybody who listens, and the windows of the members asked for."""

    events: list[Event]
    pos: int
    more: bool
    windows: dict[str, Window]
    is_complete: bool = True


class Span(NamedTuple):
    """The positions of a room that are asked for: after < pos <= upto."""

    after: int
    upto: int
    visible_from_seq: int


class Found(NamedTuple):
    """The first changes of a span, at most a page, and how many there are (counted to a limit)."""

    events: list[Event]
    total: int


def room_changes(
    *, user_id: str, positions: Mapping[int, int], epoch: str | None = None
) -> CatchUp:
    """What this person may see of what changed in rooms since a position in each.

    A given `epoch` that is not this database's makes every room incomplete.
    """
    with snapshot() as cursor:
        here = current_epoch()
        cursor.execute(_STANDINGS, [user_id, list(positions)])
        standings = {row[0]: row[1:] for row in cursor.fetchall()}
        spans = {
            room_id: Span(positions[room_id], pos, visible_from_seq)
            for room_id, (pos, visible_from_seq, joined_pos) in standings.items()
            if epoch in {None, here} and joined_pos <= positions[room_id] <= pos
        }
        found = _find(cursor, spans)
        readers = _readers(cursor, standings)
    rooms: dict[int, Changes | None] = dict.fromkeys(positions)
    for room_id, (pos, visible_from_seq, joined_pos) in standings.items():
        changes = _changes(found.get(room_id), pos)
        window = Window(visible_from_seq, joined_pos, None)
        rooms[room_id] = changes._replace(window=window, reads=readers.get(room_id, {}))
    return CatchUp(here, rooms)


def room_refill(*, room_id: int, after: int, user_ids: Sequence[str]) -> Refill:
    """A page of what changed in a room, and the windows of these people, of the same moment."""
    with snapshot() as cursor:
        cursor.execute("SELECT pos FROM rooms WHERE id = %s", [room_id])
        (pos,) = cursor.fetchone() or (0,)
        found = _find(cursor, {room_id: Span(after, pos, 0)}, most=ANY_NUMBER)[room_id]
        members = Member.objects.filter(room_id=room_id, user_id__in=user_ids)
        shown = {member.user_id: window_of(member) for member in members}
    # Of more memberships than were counted some were not read either.
    more = found.total > min(len(found.events), MOST_CHANGES)
    return Refill(found.events, found.events[-1].pos if more else pos, more, shown)


def personal_changes(*, user_id: str, after: int, epoch: str | None = None) -> Changes:
    """What changed of what is personal to somebody: rooms he was added to, his own markers."""
    with snapshot():
        pos = personal_position_of(user_id)
        if epoch not in {None, current_epoch()} or after > pos:
            return Changes([], pos, complete=False)
        mine = Member.objects.filter(
            user_id=user_id, user_pos__gt=after, user_pos__lte=pos, left_pos__isnull=True
        )
        touched = list(mine.select_related("room").order_by("user_pos")[: MOST_CHANGES + 1])
        added = [member for member in touched if member.added_user_pos > after]
        shown = {
            room["id"]: room for room in show_rooms_to_anybody([member.room for member in added])
        }
    events = [_personal_event(member, shown.get(member.room_id)) for member in touched]
    return _changes(Found(_page(events), len(events)), pos)


def _personal_event(member: Member, room: dict[str, Any] | None) -> Event:
    if room is not None:
        return room_added(user_id=member.user_id, user_pos=member.user_pos, room=room)
    return me_changed(
        user_id=member.user_id,
        user_pos=member.user_pos,
        room_id=member.room_id,
        last_read_seq=member.last_read_seq,
    )


def _changes(found: Found | None, pos: int) -> Changes:
    if found is None or found.total > MOST_CHANGES:
        return Changes([], pos, complete=False)
    if found.total > len(found.events):
        return Changes(found.events, found.events[-1].pos, more=True)
    return Changes(found.events, pos)


def _find(
    cursor: CursorWrapper, spans: Mapping[int, Span], *, most: int = MOST_CHANGES
) -> dict[int, Found]:
    """The changed messages and memberships of each room, merged, as events: `most`, or none."""
    moved = {room_id: span for room_id, span in spans.items() if span.upto > span.after}
    found = {room_id: Found([], 0) for room_id in spans}
    if moved:
        messages = _messages(cursor, moved, most=most)
        members = _members(cursor, moved)
        for room_id in moved:
            found[room_id] = _merge(messages.get(room_id, Found([], 0)), members.get(room_id, []))
    return found


def _messages(cursor: CursorWrapper, spans: Mapping[int, Span], *, most: int) -> dict[int, Found]:
    """Without events where there are more messages than anybody wants."""
    cursor.execute(_MESSAGES, [list(spans), *map(list, zip(*spans.values(), strict=True))])
    found: dict[int, Found] = {}
    for count, _, _, *columns in cursor.fetchall():
        row = MessageRow(*columns)
        if count > most:
            found[row.room_id] = Found([], count)
            continue
        tell = message_sent if row.created_pos > spans[row.room_id].after else message_updated
        found.setdefault(row.room_id, Found([], count)).events.append(tell(row, message_text(row)))
    return found


def _members(cursor: CursorWrapper, spans: Mapping[int, Span]) -> dict[int, list[Event]]:
    afters, uptos, _ = map(list, zip(*spans.values(), strict=True))
    cursor.execute(_MEMBERS, [list(spans), afters, uptos])
    ids = [id_ for (id_,) in cursor.fetchall()]
    found: dict[int, list[Event]] = {}
    if ids:
        for member in Member.objects.select_related("user").filter(pk__in=ids).order_by("pos"):
            tell = member_joined if member.left_pos is None else member_left
            found.setdefault(member.room_id, []).append(tell(member))
    return found


def _merge(messages: Found, members: list[Event]) -> Found:
    """One page in the order of positions: nothing after the first message that is left out."""
    count = messages.total + len(members)
    if messages.total > len(messages.events) > 0:
        last = messages.events[-1].pos
        members = [event for event in members if event.pos < last]
    events = sorted([*messages.events, *members], key=lambda event: event.pos)
    return Found(_page(events), count)


def _page(events: list[Event]) -> list[Event]:
    """The first events that fit into a page, and one in any case."""
    size = 0
    for number, event in enumerate(events):
        size += len(event.text)
        if size > PAGE_BYTES and number:
            return events[:number]
    return events


def _readers(cursor: CursorWrapper, room_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    cursor.execute(_READERS, [list(room_ids)])
    readers: dict[int, dict[str, int]] = {}
    for room_id, user_id, seq in cursor.fetchall():
        readers.setdefault(room_id, {})[user_id] = seq
    return {id_: markers for id_, markers in readers.items() if len(markers) <= MOST_READERS}
