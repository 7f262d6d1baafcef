"""Sending a message, for doors that wait and for doors that are told."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from messaging.actions.writer import Outcome, Send, Sent, writer
from messaging.errors import NotFound, OutcomeUnknown
from messaging.permissions import LARGEST_ID
from messaging.serializers.messages import NewMessage
from service_kit.refusals import Refusal

LONGEST_WAIT_SECONDS: Final = 10.0


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
