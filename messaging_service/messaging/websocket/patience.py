"""How fast one socket may ask, and when it has asked too fast too often."""

from typing import Final

from prometheus_client import Counter

from messaging.errors import RateLimited
from messaging.permissions.limits import command_bucket
from service_kit.refusals import Refusal

MOST_IN_A_ROW: Final = 10

_refused: Final = Counter("parley_commands_refused_total", "Commands that came too fast.")


class Patience:
    """Ends with the tenth thing in a row that came too fast; then nothing is allowed any more."""

    def __init__(self) -> None:
        self._bucket = command_bucket()
        self._in_a_row = 0

    def spend(self) -> None:
        """Count a command; raises RateLimited."""
        wait = self._bucket.take()
        if wait or self.is_over:
            _refused.inc()
            raise RateLimited(wait)

    def carried_out(self) -> None:
        """A command was carried out: it begins anew, unless it is over."""
        if not self.is_over:
            self._in_a_row = 0

    def refused(self, refusal: Refusal) -> bool:
        """A command was refused; whether it ends with that."""
        if self.is_over or not isinstance(refusal, RateLimited):
            return False
        self._in_a_row += 1
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Whether the socket is being closed for it; nothing is answered any more."""
        return self._in_a_row >= MOST_IN_A_ROW
