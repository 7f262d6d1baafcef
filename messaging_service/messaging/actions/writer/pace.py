"""Whether a batch's sends are more than their senders may make now."""

from collections import Counter
from collections.abc import Callable, Sequence

from messaging.actions.writer.sends import Send
from messaging.errors import RateLimited
from messaging.permissions.limits import message_limit


def ask_pace(sends: Sequence[Send]) -> Callable[[], None]:
    """Ask for all senders at once; calling the result, once or more, marks what is too much.

    The question is on its way while the batch locks and looks. A send that has to wait for its
    room is counted once.
    """
    uncounted = [send for send in sends if not send.is_counted]
    asked = Counter(send.sender_id for send in uncounted)
    answer = message_limit().ask(asked) if asked else dict

    def mark() -> None:
        if any(not send.is_counted for send in uncounted):
            _mark(uncounted, answer())

    return mark


def _mark(sends: Sequence[Send], answers: dict[str, tuple[int, float]]) -> None:
    left = {user_id: given for user_id, (given, _) in answers.items()}
    for send in sends:
        send.is_counted = True
        left[send.sender_id] -= 1
        if left[send.sender_id] < 0:
            send.refusal = RateLimited(answers[send.sender_id][1])
