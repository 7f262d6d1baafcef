"""What Postgres does with the disk: it waits for it, and is refused by it."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

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

    from e2e.chaos.crowd import Crowd

DISK_MEGABYTES, LEFT_BYTES = 400, 300_000
SENDS = 20


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own, which only root may make."""
    folder.mkdir()
    size = f"size={DISK_MEGABYTES}m"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "parley", folder], check=False)
    if made.returncode:
        pytest.skip("This machine lets us mount nothing.")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run one whose Postgres has a small disk."""
    port, operators_port = free_ports(2)
    with own_home() as home, small_disk(home / "postgres"):
        stack = Stack(home=home, port=port, operators_port=operators_port, settings=SETTINGS)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


@contextmanager
def fill_the_disk(crowd: Crowd) -> Iterator[None]:
    """Postgres cannot write any more, and is started again once it can."""
    filler = crowd.stack.home / "postgres" / "filler"
    disk = os.statvfs(filler.parent)
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - LEFT_BYTES)
    yield
    filler.unlink()
    crowd.stack.restart("postgres")


def test_a_full_disk_loses_nothing_that_was_acknowledged(stack: Stack) -> None:
    fault = Fault("disk full", fill_the_disk, 8, WITHOUT_POSTGRES)
    history = run(stack, fault, Timing(before=3, after=5))
    text, findings = report(fault.name, history)
    print(text)
    assert findings == []


def test_each_acknowledgement_has_waited_for_the_disk(stack: Stack) -> None:
    with Person.signs_up(stack.address, "a") as alice, Person.signs_up(stack.address, "b") as bob:
        room = alice.opens_room_with(bob)
        before = written(stack)
        for _ in range(SENDS):
            alice.sends(room, "Hello")
        assert written(stack) - before >= SENDS


def written(stack: Stack) -> int:
    """How often Postgres has waited for its log to be on the disk."""
    with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.5)")
        cursor.execute("SELECT sum(fsyncs)::int FROM pg_stat_io WHERE object = 'wal'")
        return int(cursor.fetchall()[0][0])
