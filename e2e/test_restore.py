"""The drill: a backup, a lost database, the way back, and clients that were there all the time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from e2e.people import Person
from e2e.test_client import client_of, contents
from e2e.traces import searched_stack
from local.backups import DATABASES, back_up, restore
from local.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack import Stack

SECONDS = 30.0


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    with searched_stack(sockets=1, durable=False, settings={"POSTGRES_MANAGED": "true"}) as stack:
        yield stack


def lose_everything(stack: Stack) -> None:
    """End both services, and drop what they had."""
    for process in stack.servers:
        process.kill()
    with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
        for name in DATABASES:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def databases(stack: Stack) -> set[str]:
    with closing(stack.postgres.connect()) as link, link.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def test_a_broken_backup_changes_nothing(own_stack: Stack, tmp_path: Path) -> None:
    before = databases(own_stack)
    for broken in DATABASES:
        folder = tmp_path / broken
        back_up(own_stack, folder)
        file = folder / f"{broken}.dump"
        file.write_bytes(file.read_bytes()[:-2000])
        with pytest.raises(CannotStartError, match="pg_restore failed"):
            restore(own_stack, folder)
        assert databases(own_stack) == before


def test_nor_does_one_while_somebody_is_there(own_stack: Stack, tmp_path: Path) -> None:
    before = databases(own_stack)
    back_up(own_stack, tmp_path / "backup")
    with Person.signs_up(own_stack.address, "carol") as carol:
        with pytest.raises(CannotStartError, match="Stop both services first"):
            restore(own_stack, tmp_path / "backup")
        assert carol.http.get("/api/auth/me/").status_code == 200
    assert databases(own_stack) == before


async def test_clients_start_over_with_what_was_kept(own_stack: Stack, tmp_path: Path) -> None:
    address, stack = own_stack.address, own_stack
    with Person.signs_up(address, "alice") as alice, Person.signs_up(address, "bob") as bob:
        room = alice.opens_room_with(bob)
        for content in ("one", "two", "three"):
            alice.sends(room, content)
        kept = alice.shows_picture("red")
        async with client_of(bob) as client:
            back_up(stack, tmp_path / "backup")
            alice.shows_picture("blue")
            alice.sends(room, "not in the backup")
            await client.until(lambda: len(client.replica.rooms[room].messages) == 4)
            before = client.replica.epoch

            lose_everything(stack)
            restore(stack, tmp_path / "backup")
            for process in stack.servers:
                stack.restart(process.name)

            await client.until(
                lambda: client.replica.epoch not in {before, ""} and client.is_current,
                within=SECONDS,
            )
            assert contents(client, room) == ["one", "two", "three"]
            assert alice.http.get("/api/auth/me/").json()["avatar"] == kept
            assert alice.http.get(kept).status_code == 200
            # Even what has the number of one that is gone is heard as what it is.
            assert alice.sends(room, "four")["seq"] == 4
            await client.until(lambda: contents(client, room)[3:] == ["four"])
            held = client.replica.rooms[room].messages.values()
            assert sorted(held, key=lambda each: each["seq"]) == alice.history(room)
