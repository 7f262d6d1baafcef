"""Sending a message, for doors that wait and for doors that are told; editing, deleting."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from django.db import connection

from messaging.actions.changes import RoomChange, room_change
from messaging.actions.writer import Outcome, Send, Sent, writer
from messaging.errors import Conflict, NotFound, OutcomeUnknown
from messaging.events import message_updated
from messaging.permissions import (
    LARGEST_ID,
    message_of,
    refusal_to_change,
    refusal_to_write,
    tie_in,
)
from messaging.permissions.limits import message_limit
from messaging.serializers.messages import MessageRow, NewMessage, message_text
from service_kit.refusals import Refusal

LONGEST_WAIT_SECONDS: Final = 10.0

# What is sent again under the same client_id is still recognised: its hash stays.
_STORE: Final = """
UPDATE messages SET pos = %s, content = %s, {moment} = greatest(clock_timestamp(), timestamp)
WHERE id = %s
RETURNING {moment}
"""
_MOMENTS: Final = {"edited": "edited_at", "deleted": "deleted_at"}
_STORES: Final = {kind: _STORE.format(moment=moment) for kind, moment in _MOMENTS.items()}


def submit_message(
    *, sender_id: str, room_id: int, message: NewMessage, settle: Callable[[Outcome], None]
) -> None:
    """Send to a room; `settle` gets the outcome, once, from any thread, after COMMIT.

    Sends of one caller to one room are stored in the order of these calls. Repeating a client_id
    with the same content changes nothing and gives the first message.
    """
    if not 0 < room_id <= LARGEST_ID:
        # Postgres would refuse the number itself, and with it the batch it came in.
        settle(NotFound("room"))
        return
    writer().submit(Send(room_id=room_id, sender_id=sender_id, message=message, settle=settle))


def send_message(*, sender_id: str, room_id: int, message: NewMessage) -> Sent:
    """The same for a caller that can wait; raises the Refusal."""
    answer: Future[Outcome] = Future()
    submit_message(sender_id=sender_id, room_id=room_id, message=message, settle=answer.set_result)
    try:
        outcome = answer.result(LONGEST_WAIT_SECONDS)
    except TimeoutError:
        raise OutcomeUnknown from None
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def edit_message(
    *, user_id: str, message_id: int, content: str, room_id: int | None = None
) -> bytes:
    """Give one's own message another content; answers with its JSON as it is now.

    The content it has already changes nothing. Raises NotFound, also for another room's message
    where a room is named, NotAllowed for somebody else's, Conflict for a deleted one, and what a
    send would be refused with.
    """
    with _own_message(user_id, message_id, room_id) as (change, row):
        if row.deleted_at is not None:
            raise Conflict("This message is deleted.")
        if row.content == content:
            return message_text(row)
        if refusal := refusal_to_write(tie_in(change.room)):
            raise refusal
        return _store(change, row, "edited", content)


def delete_message(*, user_id: str, message_id: int, room_id: int | None = None) -> bytes:
    """Leave a tombstone of one's own message, for everybody; answers with its JSON.

    Deleting it again changes nothing. Raises NotFound and NotAllowed as edit_message.
    """
    with _own_message(user_id, message_id, room_id) as (change, row):
        return _store(change, row, "deleted", "") if row.deleted_at is None else message_text(row)


@contextmanager
def _own_message(
    user_id: str, message_id: int, room_id: int | None
) -> Iterator[tuple[RoomChange, MessageRow]]:
    """A message its sender may change, and its room, held; it counts like one more message."""
    message_limit().take(user_id)
    found = message_of(user_id=user_id, message_id=message_id, room_id=room_id)
    # Whose it is never changes, and who may not change it must not hold the room.
    if refusal := refusal_to_change(sender_id=found.sender_id, user_id=user_id):
        raise refusal
    with room_change(found.room_id) as change:
        yield change, message_of(user_id=user_id, message_id=message_id)


def _store(change: RoomChange, row: MessageRow, kind: str, content: str) -> bytes:
    pos = change.next_pos()
    with connection.cursor() as cursor:
        cursor.execute(_STORES[kind], [pos, content, row.id])
        (moment,) = cursor.fetchone()
    changed = row._replace(pos=pos, content=content, **{_MOMENTS[kind]: moment})
    text = message_text(changed)
    change.events.append(message_updated(changed, text, change=kind))
    return text
