"""What is taken away of somebody who was erased: a bounded number at a time of what is left.

Doing it again finds nothing, so it does not matter where it was cut off.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from messaging.actions.changes import pair_change
from messaging.actions.contacts import change_contact
from messaging.actions.erasing.names import take_names_away
from messaging.actions.members import remove_member
from messaging.actions.profiles import tell_names
from messaging.broadcast import publish
from messaging.errors import NotFound
from messaging.events import presence
from messaging.models import Contact, Member, Presence, Room
from messaging.queries.contacts import CURRENT, contact_between, contacts_of
from messaging.queries.personal import PERSONAL, Personal
from messaging.queries.presence import audiences_of, presence_rows
from messaging.serializers.presence import presence_json

# Of what takes a transaction each, and of rows that go in one.
MOST_CHANGES: Final = 20
MOST_ROWS: Final = 500

_NO_READS: Final = """
UPDATE members SET read_at = NULL
WHERE id IN (SELECT id FROM members WHERE user_id = %s AND read_at IS NOT NULL LIMIT %s)
"""
_SAID: Final = [field.attname for field in Presence._meta.concrete_fields]  # noqa: SLF001 - it is public


def take_away(user_id: str) -> bool:
    """Take away a part of all that is left, and say whether there was anything."""
    found = [part(user_id) for part in PARTS]
    # What nobody has to be told of goes last: nothing that is to be told may go with it.
    return any(found) or _delete_rows(user_id)


def _forget_presence(user_id: str) -> bool:
    """Show him as gone to whoever saw him, and keep nothing of when he was there.

    The row goes once it says nothing and that was told: whoever dies in between has it told again.
    """
    with transaction.atomic():
        kept = Presence.objects.select_for_update().filter(pk=user_id).first()
        if kept is None:
            return False
        nothing = Presence(user_id=user_id, status=Presence.Status.OFFLINE, number=kept.number)
        says_nothing = all(getattr(kept, name) == getattr(nothing, name) for name in _SAID)
        if not says_nothing:
            nothing.number += 1
            nothing.save(force_update=True)
        (row,) = presence_rows([user_id])
        rooms = audiences_of([user_id])
    publish(presence(presence_json(row), number=row.number, rooms=each) for each in rooms.values())
    if says_nothing:
        Presence.objects.filter(pk=user_id).delete()
    return True


def _end_contacts(user_id: str) -> bool:
    current = list(contacts_of(user_id=user_id).order_by("pk")[:MOST_CHANGES])
    for found in current:
        with pair_change(found.requester_id, found.addressee_id) as events:
            contact = contact_between(found.requester_id, found.addressee_id)
            if contact is not None and contact.state in CURRENT:
                events.extend(change_contact(contact, Contact.State.REMOVED))
    return bool(current)


def _leave_rooms(user_id: str) -> bool:
    """Leave every room but those of two people, which are the other one's as well."""
    pair = Q(room__participant_a=F("user_id")) | Q(room__participant_b=F("user_id"))
    own = Member.objects.filter(user_id=user_id, left_pos__isnull=True)
    others = own.exclude(pair, room__room_type=Room.Type.DIRECT).order_by("room_id")
    room_ids = list(others.values_list("room_id", flat=True)[:MOST_CHANGES])
    if room_ids:
        # They hear nothing more of him afterwards, and whoever began may have died before he told.
        tell_names(user_id)
    for room_id in room_ids:
        with suppress(NotFound):
            remove_member(room_id=room_id, user_id=user_id)
    return bool(room_ids)


def _forget_reads(user_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_NO_READS, [user_id, MOST_ROWS])
        return bool(cursor.rowcount)


def _delete_rows(user_id: str) -> bool:
    goes = [personal for personal in PERSONAL if not personal.kept]
    found = [_delete_some(personal, user_id) for personal in goes]
    return any(found)


def _delete_some(personal: Personal, user_id: str) -> bool:
    rows = personal.model._default_manager.filter(personal.of(user_id))  # noqa: SLF001 - it is public
    found = list(rows.values_list("pk", flat=True)[:MOST_ROWS])
    if found:
        personal.model._default_manager.filter(pk__in=found).delete()  # noqa: SLF001 - as above
    return bool(found)


# Who was there is told of before the rooms are left in which it is told.
PARTS: Final[tuple[Callable[[str], bool], ...]] = (
    take_names_away,
    _forget_presence,
    _end_contacts,
    _leave_rooms,
    _forget_reads,
)
