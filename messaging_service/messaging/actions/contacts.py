"""Asking somebody to become a contact, answering him, and ending it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.utils import timezone

from messaging.actions.changes import next_user_positions, pair_change
from messaging.errors import Conflict, Invalid, NotFound
from messaging.events import Event, contact_changed
from messaging.models import Contact, Profile
from messaging.permissions import tie_between
from messaging.permissions.contacts import (
    contact_of,
    refusal_to_answer,
    refusal_to_ask,
)
from messaging.permissions.limits import contact_limit
from messaging.queries.contacts import CURRENT, contact_between
from messaging.serializers.contacts import contact_json

State = Contact.State


class Requested(NamedTuple):
    """A contact, and whether this call made the request."""

    contact: Contact
    created: bool


def request_contact(*, user_id: str, other: Profile) -> Requested:
    """Ask somebody; who was asked by him accepts with it. Asking again changes nothing.

    So two who ask each other at once are contacts. Raises Invalid for oneself, Blocked, and
    RateLimited: each call counts.
    """
    if other.user_id == user_id:
        raise Invalid("A contact is somebody else.")
    contact_limit().take(user_id)
    if other.erased_at is not None:
        raise NotFound("person")
    with pair_change(user_id, other.user_id) as events:
        if refusal := refusal_to_ask(tie_between(user_id, other.user_id)):
            raise refusal
        contact = contact_between(user_id, other.user_id)
        if contact is not None and contact.state in CURRENT:
            if contact.state == State.PENDING and contact.addressee_id == user_id:
                events.extend(change_contact(contact, State.ACCEPTED))
            return Requested(contact, created=False)
        contact = contact or Contact()
        contact.requester, contact.addressee = Profile.objects.get(pk=user_id), other
        contact.created_at = timezone.now()
        events.extend(change_contact(contact, State.PENDING))
    return Requested(contact, created=True)


def accept_contact(*, user_id: str, contact_id: int) -> Contact:
    """Become the contact of who asked; doing so again changes nothing.

    Raises NotFound for a request that was withdrawn, too, Conflict for one that was declined, and
    NotAllowed for one's own.
    """
    return _answer(user_id, contact_id, State.ACCEPTED)


def decline_contact(*, user_id: str, contact_id: int) -> Contact:
    """Refuse who asked: he is told, and may ask again. Doing so again changes nothing.

    Raises as accept_contact, and Conflict for who is a contact already.
    """
    return _answer(user_id, contact_id, State.DECLINED)


def end_contact(*, user_id: str, contact_id: int, state: str | None = None) -> None:
    """Withdraw a request, or remove a contact: for both. What is over already stays so.

    With a `state` only what is in it is ended; raises Conflict where that has changed meanwhile,
    and NotFound.
    """
    with _held_contact(user_id, contact_id) as (contact, events):
        if contact.state not in CURRENT:
            return
        if state not in {None, contact.state}:
            raise Conflict(f"This contact is {contact.state} now.")
        events.extend(change_contact(contact, State.REMOVED))


def change_contact(contact: Contact, state: State) -> list[Event]:
    """Keep another state of a contact whose pair is held, and say what both are to be told."""
    contact.state = state
    people = (contact.requester, contact.addressee)
    positions = next_user_positions(person.user_id for person in people)
    contact.requester_pos, contact.addressee_pos = (positions[each.user_id] for each in people)
    contact.save()
    return [
        contact_changed(
            user_id=user_id, user_pos=pos, contact=contact_json(contact, user_id=user_id)
        )
        for user_id, pos in positions.items()
    ]


def _answer(user_id: str, contact_id: int, answer: State) -> Contact:
    with _held_contact(user_id, contact_id) as (contact, events):
        if refusal := refusal_to_answer(contact, user_id=user_id, answer=answer):
            raise refusal
        if contact.state == State.PENDING:
            events.extend(change_contact(contact, answer))
    return contact


@contextmanager
def _held_contact(user_id: str, contact_id: int) -> Iterator[tuple[Contact, list[Event]]]:
    """A contact of one's own as it is now, and nothing changes between the two meanwhile."""
    found = contact_of(user_id=user_id, contact_id=contact_id)
    with pair_change(found.requester_id, found.addressee_id) as events:
        yield contact_of(user_id=user_id, contact_id=contact_id), events
