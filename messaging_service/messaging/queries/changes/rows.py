"""The rows that carry a later position, messages and memberships alike, as the events they tell."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from django.db.backends.utils import CursorWrapper

from messaging.events import Event, member_joined, member_left, message_sent, message_updated
from messaging.models import Member
from messaging.permissions.large_rooms import READS_UP_TO
from messaging.serializers.messages import MESSAGE_COLUMNS, MessageRow, message_text

MOST_CHANGES: Final = 1_000
PAGE_BYTES: Final = 256 * 1024
ANY_NUMBER: Final = MOST_CHANGES + 1

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
    WHERE m.room_id = asked.room_id AND m.pos > 0
        AND m.pos > asked.after AND m.pos <= asked.upto
    ORDER BY m.pos LIMIT {MOST_CHANGES + 1}
) AS changed
"""

_READERS: Final = f"""
SELECT asked.room_id, reader.user_id, reader.last_read_seq,
    person.read_receipts OR person.user_id = %s
FROM unnest(%s::bigint[]) AS asked(room_id)
CROSS JOIN LATERAL (
    SELECT user_id, last_read_seq FROM members m
    WHERE m.room_id = asked.room_id AND m.left_pos IS NULL LIMIT {READS_UP_TO + 1}
) AS reader
JOIN profiles person ON person.user_id = reader.user_id
"""


class Span(NamedTuple):
    """The positions of a room that are asked for: after < pos <= upto."""

    after: int
    upto: int
    visible_from_seq: int


class Found(NamedTuple):
    """The first changes of a span, at most a page, and how many there are (counted to a limit)."""

    events: list[Event]
    total: int


def find(
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
    return Found(page_of(events), count)


def page_of(events: list[Event]) -> list[Event]:
    """The first events that fit into a page, and one in any case."""
    size = 0
    for number, event in enumerate(events):
        size += len(event.text)
        if size > PAGE_BYTES and number:
            return events[:number]
    return events


def readers_of(
    cursor: CursorWrapper, room_ids: Iterable[int], *, viewer_id: str
) -> dict[int, dict[str, int]]:
    """By room the markers shown to this person; none in large rooms."""
    cursor.execute(_READERS, [viewer_id, list(room_ids)])
    members: Counter[int] = Counter()
    readers: dict[int, dict[str, int]] = {}
    for room_id, user_id, seq, is_shown in cursor.fetchall():
        members[room_id] += 1
        if is_shown:
            readers.setdefault(room_id, {})[user_id] = seq
    return {id_: markers for id_, markers in readers.items() if members[id_] <= READS_UP_TO}
