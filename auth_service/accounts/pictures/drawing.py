"""Draws a picture anew, in a process of its own, whose memory and time are bounded.

Usage: python -m accounts.pictures.drawing <most pixels>; an upload on its standard input, a square
WebP on its standard output. Ends with a Fault where there is something wrong with it.
"""

import io
import os
import resource
import sys
from enum import IntEnum
from typing import Final

from PIL import Image, ImageFile

SIDE: Final = 512
QUALITY: Final = 85
# 25 million pixels as WebP take 420 MB while they are decoded.
MEMORY_BYTES: Final = 1024**3
CPU_SECONDS: Final = 10
POLITENESS: Final = 10

_PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_RIFF_HEAD: Final = 8
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Fault(IntEnum):
    """What is wrong, as an exit code."""

    UNKNOWN = 10
    TOO_LARGE = 11
    ANIMATED = 12
    CONTINUED = 13
    BROKEN = 14


class Unfit(Exception):  # noqa: N818 - it is an answer, not an error
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def draw(upload: bytes, *, most_pixels: int) -> bytes:
    """Return the middle of a picture, upright, at most 512 pixels wide and high; raises Unfit.

    Its format is found by its first bytes alone. Nothing but its pixels is taken over.
    """
    kind = _kind_of(upload)
    if not _ends(upload, kind):
        raise Unfit(Fault.CONTINUED)
    # Ours is lower, and comes before anything is decoded too.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(upload), formats=[kind]) as picture:
        width, height = picture.size
        if width * height > most_pixels:
            raise Unfit(Fault.TOO_LARGE)
        # A photograph with a second one beside it, for 3D or a wider range, is none that moves.
        if picture.format != "MPO" and getattr(picture, "is_animated", False):
            raise Unfit(Fault.ANIMATED)
        return _encode(_square(picture))


def _kind_of(upload: bytes) -> str:
    if upload.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if upload.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if upload.startswith(b"RIFF") and upload[8:12] == b"WEBP":
        return "WEBP"
    raise Unfit(Fault.UNKNOWN)


def _ends(upload: bytes, kind: str) -> bool:
    """Whether nothing follows the picture; cameras append what they like to a JPEG."""
    if kind == "PNG":
        return upload.endswith(_PNG_END)
    if kind == "WEBP":
        return int.from_bytes(upload[4:8], "little") + _RIFF_HEAD == len(upload)
    return True


def _square(picture: ImageFile.ImageFile) -> Image.Image:
    turn = _turn_of(picture)
    # A JPEG can be decoded at an eighth of its size.
    picture.draft("RGB", (SIDE, SIDE))
    width, height = picture.size
    length = min(width, height)
    left, top = (width - length) // 2, (height - length) // 2
    side = min(length, SIDE)
    square = _in_colours(picture).resize(
        (side, side),
        Image.Resampling.LANCZOS,
        box=(left, top, left + length, top + length),
        reducing_gap=2.0,
    )
    return square if turn is None else square.transpose(turn)


def _turn_of(picture: Image.Image) -> Image.Transpose | None:
    """Return how a picture says it is to be turned, if what it says can be read."""
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as below; it is a picture all the same.
        return None


def _in_colours(picture: Image.Image) -> Image.Image:
    """Return it in a mode that can be scaled and shown; sixteen bits of grey become eight."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda grey: grey / 256).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _encode(square: Image.Image) -> bytes:
    """Without what the picture said of itself: place, camera, colours, comments."""
    drawn = io.BytesIO()
    plain = Image.frombytes(square.mode, square.size, square.tobytes())
    plain.save(drawn, "WEBP", quality=QUALITY)
    return drawn.getvalue()


def main(most_pixels: str) -> int:
    os.nice(POLITENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        drawn = draw(sys.stdin.buffer.read(), most_pixels=int(most_pixels))
    except Unfit as unfit:
        return unfit.fault
    except Exception:  # noqa: BLE001 - for a broken file decoders raise anything at all.
        return Fault.BROKEN
    sys.stdout.buffer.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
