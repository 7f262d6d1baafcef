"""Wanting to hear nothing of somebody, and taking that back."""

from typing import NamedTuple

from django.utils import timezone

from messaging.actions.changes import next_user_positions, pair_change
from messaging.actions.contacts import change_contact
from messaging.errors import Invalid
from messaging.events import Event, block_changed, presence_in_room
from messaging.models import Block, Contact, Profile
from messaging.permissions import tie_between
from messaging.permissions.limits import contact_limit
from messaging.queries.contacts import CURRENT, blocks_of, contact_between
from messaging.queries.presence import presence_rows
from messaging.queries.rooms import direct_rooms_of
from messaging.serializers.contacts import block_json
from messaging.serializers.presence import presence_json, unseen


class MadeBlock(NamedTuple):
    """A block, and whether this call made it."""

    block: Block
    created: bool


def block_person(*, user_id: str, other: Profile) -> MadeBlock:
    """Hear nothing more of somebody, and he of oneself; who was a contact is none any more.

    Only that he is told, as if one had removed him. Blocking again changes nothing. Raises Invalid
    for oneself.
    """
    if other.user_id == user_id:
        raise Invalid("One cannot block oneself.")
    with pair_change(user_id, other.user_id) as events:
        block = Block.objects.filter(blocker_id=user_id, blocked=other).first()
        if block is not None and not block.is_lifted:
            block.blocked = other
            return MadeBlock(block, created=False)
        contact = contact_between(user_id, other.user_id)
        if contact is not None and contact.state in CURRENT:
            events.extend(change_contact(contact, Contact.State.REMOVED))
        block = block or Block(blocker_id=user_id)
        block.blocked, block.created_at = other, timezone.now()
        events.append(_change(block, is_lifted=False))
        events.extend(_presence_in_their_room(user_id, other.user_id))
    return MadeBlock(block, created=True)


def lift_block(*, user_id: str, blocked_id: str) -> None:
    """Take a block back; where there is none, nothing changes.

    Raises RateLimited: it counts as a contact request, for both see each other come and go by it.
    Blocking never does.
    """
    mine = blocks_of(user_id=user_id).filter(blocked=blocked_id)
    if not mine.exists():
        return
    contact_limit().take(user_id)
    with pair_change(user_id, blocked_id) as events:
        block = mine.first()
        if block is not None:
            events.append(_change(block, is_lifted=True))
            events.extend(_presence_in_their_room(user_id, blocked_id))


def _presence_in_their_room(one: str, other: str) -> list[Event]:
    """What each sees of the other from now on: nothing, or how he is."""
    rows, is_blocked = presence_rows([one, other]), tie_between(one, other).is_blocked
    return [
        presence_in_room(
            presence_json(unseen(row) if is_blocked else row), room_id=room.pk, as_of=room.pos
        )
        for room in direct_rooms_of((one, other))
        for row in rows
    ]


def _change(block: Block, *, is_lifted: bool) -> Event:
    block.is_lifted = is_lifted
    block.pos = next_user_positions([block.blocker_id])[block.blocker_id]
    block.save()
    return block_changed(user_id=block.blocker_id, user_pos=block.pos, block=block_json(block))
