"""What Postgres does with the disk: it waits for it, and is refused by it; and pictures are."""

from __future__ import annotations

import os
import struct
import subprocess
import time
import zlib
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg2
import pytest

from e2e.chaos.faults import WITHOUT_POSTGRES, Fault
from e2e.chaos.figures import report
from e2e.chaos.run import SETTINGS, Timing, run
from e2e.people import Person
from local.ports import free_ports
from local.stack import Stack
from local.testing import own_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from e2e.chaos.crowd import Crowd

DISK_MEGABYTES, LEFT_BYTES = 400, 300_000
# More than fit on that disk.
FILES_OF_LOG = 30
SENDS = 20


# What a picture of noise takes when it is drawn anew, and less than that.
SIDE, MEDIA_MEGABYTES, TOO_LITTLE_BYTES = 512, 2, 16_384


@contextmanager
def small_disk(folder: Path, *, megabytes: int = DISK_MEGABYTES) -> Iterator[None]:
    """A disk of its own, which only root may make."""
    folder.mkdir()
    size = f"size={megabytes}m"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "parley", folder], check=False)
    if made.returncode:
        pytest.skip("This machine lets us mount nothing.")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run one whose Postgres has a small disk, and whose pictures have another."""
    port, operators_port = free_ports(2)
    with (
        own_home() as home,
        small_disk(home / "postgres"),
        small_disk(home / "media", megabytes=MEDIA_MEGABYTES),
    ):
        stack = Stack(home=home, port=port, operators_port=operators_port, settings=SETTINGS)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


@contextmanager
def fill_the_disk(crowd: Crowd) -> Iterator[None]:
    """Postgres cannot write any more, and is started again once it can."""
    with full(crowd.stack.home / "postgres", but=LEFT_BYTES):
        use_up_the_log(crowd.stack)
        yield
    crowd.stack.restart("postgres")


def use_up_the_log(stack: Stack) -> None:
    """Have Postgres ask the disk for another file: some of its log is made before it is needed."""
    for _ in range(FILES_OF_LOG):
        try:
            with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
                cursor.execute("SELECT pg_logical_emit_message(true, 'full', 'of it')")
                cursor.execute("SELECT pg_switch_wal()")
        except psycopg2.OperationalError:
            return
    pytest.fail("The disk was never full.")


@contextmanager
def full(folder: Path, *, but: int) -> Iterator[None]:
    """Its disk has only so many bytes left meanwhile."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        # Others may take what was there when we looked.
        while (left := free_bytes(folder)) > but:
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), file.tell(), left - but)
                file.seek(left - but, os.SEEK_CUR)
    try:
        yield
    finally:
        filler.unlink()


def free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def test_a_full_disk_loses_nothing_that_was_acknowledged(stack: Stack) -> None:
    fault = Fault("disk full", fill_the_disk, 8, WITHOUT_POSTGRES)
    history = run(stack, fault, Timing(before=3, after=5))
    text, findings = report(fault.name, history)
    print(text)
    assert findings == []


def test_each_acknowledgement_has_waited_for_the_disk(stack: Stack) -> None:
    with Person.signs_up(stack.address, "a") as alice, Person.signs_up(stack.address, "b") as bob:
        room = alice.opens_room_with(bob)
        before = waits_for_the_disk(stack, alice, room)
        for _ in range(SENDS):
            alice.sends(room, "Hello")
        assert waits_for_the_disk(stack, alice, room) - before >= SENDS


def waits_for_the_disk(stack: Stack, alice: Person, room: int) -> int:
    """How often Postgres' clients have waited, until the last message but one was there."""
    # Postgres tells what a connection did with its first transaction after a second.
    time.sleep(1.1)
    alice.sends(room, "Once more")
    with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute(
            "SELECT sum(fsyncs)::int FROM pg_stat_io"
            " WHERE object = 'wal' AND backend_type = 'client backend'"
        )
        return int(cursor.fetchall()[0][0])


def test_a_picture_for_which_there_is_no_room_changes_nothing(stack: Stack) -> None:
    with Person.signs_up(stack.address, "a") as alice:

        def upload(picture: bytes) -> httpx.Response:
            return alice.http.post("/api/auth/me/avatar/", files={"avatar": picture})

        first = upload(noise()).json()["avatar"]
        second = noise()
        with full(stack.media, but=TOO_LITTLE_BYTES):
            refused = upload(second)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert alice.http.get("/api/auth/me/").json()["avatar"] == first
            assert alice.http.get(first).status_code == 200
        shown = upload(second).json()["avatar"]
        assert alice.http.get(shown).content == picture_of(stack, shown)
        assert len(picture_of(stack, shown)) > TOO_LITTLE_BYTES
        assert [each.name for each in stack.media.rglob("*.webp")] == [shown.rpartition("/")[2]]


def noise() -> bytes:
    """A PNG of which nothing can be left out."""

    def part(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\0" + os.urandom(3 * SIDE) for _ in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows, 1)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def picture_of(stack: Stack, path: str) -> bytes:
    return (stack.media / path.removeprefix("/api/auth/")).read_bytes()
