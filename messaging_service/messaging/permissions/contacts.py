"""What two people are to each other, and what they may therefore write to each other."""

from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q

from messaging.errors import Blocked, Conflict, ContactsOnly, NotAllowed, NotFound
from messaging.models import Contact, Room
from messaging.serializers.fields import LARGEST_ID
from service_kit.refusals import Refusal

# For raw SQL: whether two people are contacts, or one of them blocks the other; format them with
# what names the two, `one` and `other`. Both are found by one key, whoever asked or blocks; not by
# EXISTS, which Postgres may answer by reading all there are.
ARE_CONTACTS: Final = f"""coalesce((
    SELECT true FROM contacts
    WHERE least(contacts.requester_id, contacts.addressee_id) = least({{one}}, {{other}})
        AND greatest(contacts.requester_id, contacts.addressee_id) = greatest({{one}}, {{other}})
        AND contacts.state = '{Contact.State.ACCEPTED.value}'), false)"""
IS_BLOCKED: Final = """coalesce((
    SELECT true FROM blocks
    WHERE least(blocks.blocker_id, blocks.blocked_id) = least({one}, {other})
        AND greatest(blocks.blocker_id, blocks.blocked_id) = greatest({one}, {other})
        AND NOT blocks.is_lifted LIMIT 1), false)"""

_TIE: Final = (
    f"SELECT {IS_BLOCKED}, {ARE_CONTACTS} FROM (VALUES (%s::text, %s::text)) AS pair(one, other)"
).format(one="pair.one", other="pair.other")


class Tie(NamedTuple):
    """What two people are to each other: blocked if either blocks the other."""

    is_blocked: bool
    are_contacts: bool


def tie_between(one: str, other: str) -> Tie:
    """What these two are to each other now."""
    with connection.cursor() as cursor:
        cursor.execute(_TIE, [one, other])
        return Tie(*cursor.fetchone())


def tie_in(room: Room) -> Tie | None:
    """The same of the two people of a direct room; None in other rooms."""
    if room.participant_a is None or room.participant_b is None:
        return None
    return tie_between(room.participant_a, room.participant_b)


def are_contacts(one: str, other: str) -> bool:
    """Whether one of them has asked, and the other has accepted."""
    return tie_between(one, other).are_contacts


def contact_of(*, user_id: str, contact_id: int) -> Contact:
    """A contact or request of one's own, in whatever state, with both people; raises NotFound."""
    mine = Q(requester=user_id) | Q(addressee=user_id)
    found = Contact.objects.select_related("requester", "addressee")
    contact = found.filter(mine, pk=min(contact_id, LARGEST_ID)).first()
    if contact is None:
        raise NotFound("contact")
    return contact


def refusal_to_ask(tie: Tie) -> Refusal | None:
    """Why one of these two may not ask the other to become a contact, or None."""
    return Blocked() if tie.is_blocked else None


def refusal_to_answer(contact: Contact, *, user_id: str, answer: str) -> Refusal | None:
    """Why this one of the two may not accept or decline, or None; the same answer again may be."""
    if contact.state == Contact.State.REMOVED:
        return NotFound("contact")
    if contact.addressee_id != user_id:
        return NotAllowed("Only who was asked can answer.")
    if contact.state not in {Contact.State.PENDING, answer}:
        return Conflict(f"This contact is {contact.state} now.")
    return None


def refusal_to_write(tie: Tie | None) -> Refusal | None:
    """Why two people with this tie may not write to each other directly, or None.

    There is no tie where a room is not for two: in groups nobody is kept from anybody.
    """
    if tie is None:
        return None
    if tie.is_blocked:
        return Blocked()
    if settings.DIRECT_MESSAGES == "contacts" and not tie.are_contacts:
        return ContactsOnly()
    return None
