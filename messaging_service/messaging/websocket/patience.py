"""How fast one socket may ask, and when it has asked too fast too often."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Counter

from messaging.errors import RateLimited
from messaging.permissions.limits import command_bucket
from service_kit.refusals import Refusal

MOST_IN_A_ROW: Final = 10

_refused: Final = Counter("parley_commands_refused_total", "Commands that came too fast.")


class Patience:
    """Ends with the tenth thing in a row that came too fast; then nothing is allowed any more."""

    def __init__(self, *, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._bucket = command_bucket()
        self._in_a_row = 0

    def spend(self) -> None:
        """Count a command; raises RateLimited."""
        wait = self._bucket.take()
        if wait or self.is_over:
            _refused.inc()
            raise RateLimited(wait)

    def note(self, refusal: Refusal | None) -> None:
        """What was answered to a command: a refusal, or that it was carried out."""
        if self.is_over:
            return
        if refusal is None:
            self._in_a_row = 0
        elif isinstance(refusal, RateLimited):
            self._in_a_row += 1
            if self.is_over:
                self._ended()

    @property
    def is_over(self) -> bool:
        """Whether the socket is being closed for it; nothing is answered any more."""
        return self._in_a_row >= MOST_IN_A_ROW
