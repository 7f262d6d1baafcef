"""Whether a batch's sends are more than their senders may make now."""

from collections import Counter
from collections.abc import Callable, Sequence

from messaging.actions.writer.sends import Send
from messaging.errors import RateLimited
from messaging.permissions.limits import message_limit
from messaging.permissions.limits.bucket import Given


class Pace:
    """Asks for all senders of a batch at once; what is asked is answered while it looks.

    A send that has to wait for its room is counted once.
    """

    def __init__(self, sends: Sequence[Send]) -> None:
        self._uncounted = [send for send in sends if not send.is_counted]
        self._answer: Callable[[], dict[str, Given]] | None = None

    def ask(self) -> None:
        """Once, however often the batch is begun again."""
        if self._uncounted and self._answer is None:
            asked = Counter(send.sender_id for send in self._uncounted)
            self._answer = message_limit().ask(asked)

    def mark(self) -> None:
        """Mark what is too much, once or more."""
        if self._answer and any(not send.is_counted for send in self._uncounted):
            _mark(self._uncounted, self._answer())


def _mark(sends: Sequence[Send], answers: dict[str, Given]) -> None:
    left = {user_id: given for user_id, (given, _) in answers.items()}
    for send in sends:
        send.is_counted = True
        left[send.sender_id] -= 1
        if left[send.sender_id] < 0:
            send.refusal = RateLimited(answers[send.sender_id][1])
