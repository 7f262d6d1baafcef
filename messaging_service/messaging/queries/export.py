"""All that messaging keeps of somebody, for himself, in parts of many rows: a page at a time.

Of others it shows what he sees of them anyway: who they are in his rooms, contacts and blocks.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from django.db.models import Q

from messaging.errors import Invalid
from messaging.models import Block, Contact, Member
from messaging.permissions import LARGEST_ID
from messaging.queries.presence import presence_rows, show_to
from messaging.queries.profiles import profile_of
from messaging.queries.statements import read_rows
from messaging.serializers.contacts import block_json, contact_json
from messaging.serializers.messages import MESSAGE_COLUMNS, MessageRow, message_json
from messaging.serializers.profiles import profile_json
from service_kit.rendering import timestamp

# A page of messages has so many, or so many bytes of them and the one that goes beyond.
ROWS_PER_PAGE: Final = 1_000
BYTES_PER_PAGE: Final = 1024 * 1024
_CURSOR: Final = re.compile(r"([a-z]+)\.([A-Za-z0-9_-]{0,64})", re.ASCII)

# In the order of the one index that finds them without looking at anybody else's.
_MESSAGES: Final = f"""
SELECT {MESSAGE_COLUMNS}, m.number
FROM (
    SELECT *, count(*) OVER () AS number,
        sum(octet_length(content)) OVER (ORDER BY client_id) - octet_length(content) AS before
    FROM (
        SELECT * FROM messages WHERE sender_id = %s AND client_id > %s
        ORDER BY client_id LIMIT %s
    ) AS page
) AS m JOIN profiles p ON p.user_id = m.sender_id
WHERE m.before < %s ORDER BY m.client_id
"""

Row = dict[str, Any]


class Found(NamedTuple):
    """Rows, each with the key after which the next page begins, and whether there may be more."""

    rows: list[tuple[str, Row]]
    more: bool


class ExportPage(NamedTuple):
    """Some rows of a part; `next` is the cursor of the page that follows, None after the last."""

    part: str
    rows: list[Row]
    next: str | None


def export_page(*, user_id: str, cursor: str | None) -> ExportPage:
    """The first page, or the one a cursor names; raises Invalid for a cursor we never gave."""
    part, after = _read(cursor)
    rows, more = PARTS[part](user_id, after)
    if more:
        following: str | None = f"{part}.{rows[-1][0]}"
    else:
        names = list(PARTS)
        later = names[names.index(part) + 1 :]
        following = f"{later[0]}." if later else None
    return ExportPage(part, [row for _, row in rows], following)


def _read(cursor: str | None) -> tuple[str, str]:
    if cursor is None:
        return next(iter(PARTS)), ""
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[1] not in PARTS:
        raise Invalid("Take the cursor from a page's next.", field="cursor")
    return match[1], match[2]


def _number(after: str) -> int:
    if after.isdigit() and int(after) <= LARGEST_ID:
        return int(after)
    if after:
        raise Invalid("Take the cursor from a page's next.", field="cursor")
    return 0


def _found(rows: list[tuple[str, Row]]) -> Found:
    return Found(rows, more=len(rows) == ROWS_PER_PAGE)


def _profile(user_id: str, after: str) -> Found:  # noqa: ARG001 - one row, so one page.
    profile = profile_of(user_id)
    if profile is None:
        return _found([])
    kept = {
        "privacy": {
            "find_me": "everyone" if profile.is_findable else "nobody",
            "last_seen": profile.last_seen_to,
            "read_receipts": profile.read_receipts,
        },
        "updated_at": timestamp(profile.updated_at),
    }
    return _found([("", profile_json(profile) | kept)])


def _presence(user_id: str, after: str) -> Found:  # noqa: ARG001 - as above.
    return _found([("", row) for row in show_to(user_id, presence_rows([user_id]))])


def _rooms(user_id: str, after: str) -> Found:
    mine = Member.objects.select_related("room").filter(user_id=user_id)
    page = mine.filter(room_id__gt=_number(after)).order_by("room_id")[:ROWS_PER_PAGE]
    return _found([(str(member.room_id), _membership(member)) for member in page])


def _membership(member: Member) -> Row:
    room = member.room
    pair = [each for each in (room.participant_a, room.participant_b) if each is not None]
    return {
        "room": member.room_id,
        "room_type": room.room_type,
        "participants": pair,
        "is_creator": room.created_by_id == member.user_id,
        "role": member.role,
        "joined_at": timestamp(member.joined_at),
        "has_left": member.left_pos is not None,
        "last_read_seq": member.last_read_seq,
        "read_at": member.read_at and timestamp(member.read_at),
    }


def _messages(user_id: str, after: str) -> Found:
    found = read_rows(_MESSAGES, [user_id, after, ROWS_PER_PAGE, BYTES_PER_PAGE])
    rows = [MessageRow(*row[:-1]) for row in found]
    is_cut = bool(found) and len(found) < found[0][-1]
    shown = [(row.client_id, message_json(row)) for row in rows]
    return Found(shown, more=is_cut or len(shown) == ROWS_PER_PAGE)


def _contacts(user_id: str, after: str) -> Found:
    both = Contact.objects.select_related("requester", "addressee")
    mine = both.filter(Q(requester=user_id) | Q(addressee=user_id), pk__gt=_number(after))
    page = mine.order_by("pk")[:ROWS_PER_PAGE]
    return _found([(str(contact.pk), contact_json(contact, user_id=user_id)) for contact in page])


def _blocks(user_id: str, after: str) -> Found:
    mine = Block.objects.select_related("blocked").filter(blocker=user_id, pk__gt=_number(after))
    page = mine.order_by("pk")[:ROWS_PER_PAGE]
    return _found([(str(block.pk), block_json(block)) for block in page])


PARTS: Final[Mapping[str, Callable[[str, str], Found]]] = {
    "profile": _profile,
    "presence": _presence,
    "rooms": _rooms,
    "messages": _messages,
    "contacts": _contacts,
    "blocks": _blocks,
}
