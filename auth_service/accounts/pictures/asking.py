"""Has an upload drawn anew, and says what was wrong with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from django.conf import settings

from accounts.errors import BadPicture, NoPicture, PicturesUnavailable, PictureTooLarge
from accounts.pictures.drawing import Fault

# Each takes a while of a processor, and up to half a gigabyte.
MOST_AT_ONCE: Final = 1
WAIT_SECONDS: Final = 5.0
DRAW_SECONDS: Final = 15.0

_turns: Final = BoundedSemaphore(MOST_AT_ONCE)
_FOLDER: Final = Path(__file__).parents[2]
_PROGRAM: Final = "accounts.pictures.drawing"

_FAULTS: Final[dict[int, tuple[str, str]]] = {
    Fault.ANIMATED: ("animated", "A picture that moves is not accepted."),
    Fault.CONTINUED: ("invalid", "This file does not end where its picture does."),
    Fault.BROKEN: ("invalid", "This picture is broken."),
}


def avatar_of(upload: bytes) -> bytes:
    """Return the picture as a square WebP that holds nothing else.

    Raises NoPicture, PictureTooLarge, BadPicture, and PicturesUnavailable where others take too
    long.
    """
    with _turn():
        try:
            done = _draw(upload)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise PicturesUnavailable from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == Fault.UNKNOWN:
        raise NoPicture
    if done.returncode == Fault.TOO_LARGE:
        raise PictureTooLarge(f"At most {settings.LIMITS['IMAGE_PIXELS']} pixels are accepted.")
    # Also one that took too much memory or time, or brought the decoder down.
    raise BadPicture(*_FAULTS.get(done.returncode, _FAULTS[Fault.BROKEN]))


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise PicturesUnavailable
    try:
        yield
    finally:
        _turns.release()


def _draw(upload: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Run the other process, which is told none of our secrets."""
    return subprocess.run(  # noqa: S603 - our own program, and a number
        [sys.executable, "-m", _PROGRAM, str(settings.LIMITS["IMAGE_PIXELS"])],
        input=upload,
        cwd=_FOLDER,
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=DRAW_SECONDS,
        check=False,
    )
