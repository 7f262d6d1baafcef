"""Whether this process is about to end, and the order in which it does."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

_leaving = threading.Event()


def is_leaving() -> bool:
    """Say whether this process was asked to end, and so wants no new requests."""
    return _leaving.is_set()


def leave_before_ending(begin: Callable[[Callable[[], None]], None]) -> None:
    """On SIGTERM call `begin`, which is to call what it is given when the process may end.

    Meanwhile `is_leaving`, and whoever asks /health/serving sends nothing more here. A second
    SIGTERM ends the process at once. Only from the main thread, after the server has set its own
    handler: that is what ends the process.
    """
    end = signal.getsignal(signal.SIGTERM)
    if not callable(end):
        raise TypeError("The server has set no handler of SIGTERM.")

    def asked_to_end(number: int, frame: FrameType | None) -> None:
        if _leaving.is_set():
            end(number, frame)
        else:
            _leaving.set()
            begin(lambda: end(number, None))

    signal.signal(signal.SIGTERM, asked_to_end)
