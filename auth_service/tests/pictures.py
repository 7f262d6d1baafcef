"""Pictures as people have them, and as nobody should."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

PLACE = "a place nobody should know"


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any
) -> bytes:
    """A picture whose left half is red and whose right half is blue, as far as its mode can."""
    drawn = Image.new("RGB", size, "red")
    drawn.paste("blue", (size[0] // 2, 0, *size))
    file = io.BytesIO()
    drawn.convert(mode).save(file, kind, **options)
    return file.getvalue()


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def photograph(*, orientation: int = 1) -> bytes:
    """A JPEG that says where it was taken, by which camera, and how it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = PLACE
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", exif=exif.tobytes(), comment=PLACE.encode())


def stereo() -> bytes:
    """Two photographs in one file, as telephones make them."""
    file = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(file, "MPO", save_all=True, append_images=frames[1:])
    return file.getvalue()


def png(width: int, height: int, *more: bytes, rows: bytes = b"") -> bytes:
    """A PNG of one bit for each pixel; `more` are chunks before its end."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = chunk(b"IDAT", rows or zlib.compress(bytes((width + 7) // 8 + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + body + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def vast_webp() -> bytes:
    """A few bytes that say they are 16,383 pixels wide and high."""
    small = bytearray(picture("WEBP", lossless=True))
    at = small.index(b"VP8L") + 9
    bits = int.from_bytes(small[at : at + 4], "little") >> 28 << 28 | 16_382 | 16_382 << 14
    small[at : at + 4] = bits.to_bytes(4, "little")
    return bytes(small)
