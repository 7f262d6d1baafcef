"""What is made of a picture, and what is taken for none."""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from accounts.pictures import asking
from accounts.pictures.drawing import Fault, Unfit, draw
from auth_service.tests.pictures import PLACE, animated, chunk, photograph, picture, png, stereo

PIXELS = 25_000_000
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<html><script>alert(1)</script>"


def drawn(content):
    return Image.open(io.BytesIO(draw(content, most_pixels=PIXELS)))


def is_red(colour):
    red, green, blue = colour[:3]
    return red > 200 and green < 60 and blue < 60


class TestAPicture:
    @pytest.mark.parametrize(
        "content",
        [
            *(picture(kind) for kind in ("PNG", "JPEG", "WEBP")),
            *(picture("PNG", mode=mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")),
            *(picture("JPEG", mode=mode) for mode in ("L", "CMYK")),
            picture("WEBP", mode="RGBA", lossless=True),
            stereo(),
        ],
        ids=[
            *("PNG", "JPEG", "WebP", "one bit", "grey", "grey and clear", "palette", "clear"),
            *("sixteen bits", "grey JPEG", "CMYK", "clear WebP", "two photographs"),
        ],
    )
    def test_is_drawn_anew(self, content):
        made = drawn(content)
        assert made.format == "WEBP"
        assert made.size[0] == made.size[1]

    @pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "CMYK"])
    def test_keeps_its_colours(self, mode):
        kind = "JPEG" if mode == "CMYK" else "PNG"
        made = drawn(picture(kind, mode=mode))
        assert is_red(made.getpixel((2, 15)))
        assert not is_red(made.getpixel((27, 15)))

    def test_of_sixteen_bits_is_no_white(self):
        grey = io.BytesIO()
        Image.new("I;16", (8, 8), 128 * 256).save(grey, "PNG")
        assert 120 <= drawn(grey.getvalue()).convert("L").getpixel((4, 4)) <= 136

    @pytest.mark.parametrize(
        ("size", "side"),
        [((512, 512), 512), ((513, 600), 512), ((3000, 900), 512), ((40, 30), 30), ((1, 9000), 1)],
    )
    def test_becomes_a_square_of_512_at_most(self, size, side):
        assert drawn(picture(size=size)).size == (side, side)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_stands_upright(self, orientation):
        made = drawn(photograph(orientation=orientation))
        middle, far = made.size[0] // 2, made.size[0] - 3
        red = {1: (2, middle), 4: (2, middle), 2: (far, middle), 3: (far, middle)} | {
            5: (middle, 2),
            6: (middle, 2),
            7: (middle, far),
            8: (middle, far),
        }
        assert is_red(made.getpixel(red[orientation]))

    @pytest.mark.parametrize(
        "content",
        [
            photograph(),
            picture("PNG", pnginfo=None, icc_profile=PLACE.encode() * 20),
            png(8, 8, chunk(b"tEXt", b"Comment\0" + PLACE.encode())),
            png(8, 8, chunk(b"eXIf", PLACE.encode())),
            picture("JPEG") + PLACE.encode(),
            picture("JPEG") + HTML,
        ],
        ids=["EXIF", "a profile", "text", "broken EXIF", "more behind it", "a page behind it"],
    )
    def test_keeps_nothing_but_pixels(self, content):
        made = draw(content, most_pixels=PIXELS)
        assert PLACE.encode() not in made
        assert b"script" not in made
        # RIFF, its length, WEBP, and one chunk: VP8 or VP8L.
        assert made[12:15] == b"VP8"
        assert int.from_bytes(made[16:20], "little") + 20 in {len(made), len(made) - 1}
        assert not Image.open(io.BytesIO(made)).info.keys() & {"exif", "icc_profile", "xmp"}


class TestWhatIsNone:
    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            *((each, Fault.UNKNOWN) for each in (SVG, HTML, b"", b"x", b"%PDF-1.7", bytes(99))),
            (b"PK\x03\x04" + bytes(99), Fault.UNKNOWN),
            *((picture(kind), Fault.UNKNOWN) for kind in ("GIF", "BMP", "TIFF", "ICO")),
            *((before + picture(), Fault.UNKNOWN) for before in (SVG, b" ", b"\n")),
            (animated("GIF"), Fault.UNKNOWN),
            (animated("PNG"), Fault.ANIMATED),
            (animated("WEBP"), Fault.ANIMATED),
            *((picture(kind) + HTML, Fault.CONTINUED) for kind in ("PNG", "WEBP")),
            (picture() + b"PK\x03\x04", Fault.CONTINUED),
            (picture()[:-20], Fault.CONTINUED),
            (b"\x89PNG\r\n\x1a\n" + SVG, Fault.CONTINUED),
            (png(5_000, 5_001), Fault.TOO_LARGE),
            # Before anything of it is decoded.
            (png(65_535, 65_535, rows=b"x"), Fault.TOO_LARGE),
            (png(2**31 - 1, 2**31 - 1, rows=b"x"), Fault.TOO_LARGE),
        ],
    )
    def test_is_named(self, content, fault):
        with pytest.raises(Unfit) as refused:
            draw(content, most_pixels=PIXELS)
        assert refused.value.fault == fault

    @pytest.mark.parametrize(
        "content",
        [
            picture("JPEG")[:-200],
            b"\xff\xd8\xff" + bytes(99),
            b"RIFF\x04\0\0\0WEBP",
            png(0, 0),
            png(8, 8, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000)))),
        ],
        ids=["cut", "a head", "an empty one", "no pixels", "a bomb of text"],
    )
    def test_is_broken(self, content):
        done = run(content)
        assert (done.returncode, done.stdout) == (Fault.BROKEN, b"")

    def test_is_no_picture_of_25_million_pixels(self):
        assert drawn(png(5_000, 5_000)).size == (512, 512)


def run(content, *, before=""):
    """Draw in a process of its own, as it is done."""
    begin = f"import sys\n{before}\nfrom accounts.pictures import drawing"
    return subprocess.run(
        [sys.executable, "-c", f"{begin}\nsys.exit(drawing.main('{PIXELS}'))"],
        input=content,
        cwd=Path(__file__).parents[1],
        env={},
        capture_output=True,
        timeout=60,
        check=False,
    )


class TestTheProcess:
    def test_may_use_a_gigabyte(self):
        greedy = (
            "import PIL.Image as p; o = p.open; "
            "p.open = lambda *a, **k: bytearray(2**30) and o(*a, **k)"
        )
        assert run(picture(), before=greedy).returncode == Fault.BROKEN
        assert run(picture(), before=greedy.replace("2**30", "2**28")).returncode == 0

    def test_is_told_no_secret(self, settings, monkeypatch, tmp_path):
        assert settings.SECRET_KEY in os.environ.values()
        (tmp_path / "tell.py").write_text("import os; print('told:', dict(os.environ))")
        monkeypatch.setattr(asking, "_FOLDER", tmp_path)
        monkeypatch.setattr(asking, "_PROGRAM", "tell")
        told = asking.avatar_of(picture()).decode()
        assert told.startswith("told:")
        assert settings.SECRET_KEY not in told
