"""The reference client through the gateway: what it holds is what there is, whatever happens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from e2e.client import Refused
from e2e.watched import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e2e.people import Person

SECONDS = 10.0


@asynccontextmanager
async def client_of(person: Person) -> AsyncIterator[Watched]:
    """A client that is current."""

    async def token(renew: bool) -> str:  # noqa: FBT001 - as the client calls it.
        if renew:
            body = {"refresh": person.refresh}
            person.signed_in(person.http.post("/api/auth/refresh/", json=body).json())
        return str(person.access)

    async with Watched(person.address, token) as client:
        await client.until(lambda: client.is_current)
        yield client


def contents(client: Watched, room: int) -> list[str]:
    messages = client.replica.rooms[room].messages.values()
    return [each["content"] for each in sorted(messages, key=lambda each: each["seq"])]


class TestClient:
    async def test_holds_what_there_was_and_hears_what_comes(
        self, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        alice.sends(room, "before")
        async with client_of(bob) as client:
            alice.sends(room, "after")
            await client.until(lambda: client.replica.rooms[room].pos == 2)
            assert contents(client, room) == ["before", "after"]
            members = client.replica.rooms[room].members
            assert members.keys() == {alice.user["id"], bob.user["id"]}
            held = client.replica.rooms[room].messages.values()
            assert sorted(held, key=lambda each: each["seq"]) == bob.history(room)

    async def test_learns_of_a_room_that_opens(self, alice: Person, bob: Person) -> None:
        async with client_of(bob) as client:
            room = alice.opens_room_with(bob)
            alice.sends(room, "Here is a room")
            await client.until(lambda: room in client.replica.rooms)
            await client.until(lambda: client.is_current and contents(client, room) != [])
            assert client.replica.rooms[room].pos == 1

    async def test_sends_once_however_often_the_connection_breaks(
        self, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        async with client_of(alice) as hers, client_of(bob) as his:
            for number in range(6):
                sending = asyncio.create_task(hers.send(room, str(number)))
                await asyncio.sleep(0)
                hers.cut()
                async with asyncio.timeout(SECONDS):
                    await sending
            await his.until(lambda: his.replica.rooms[room].pos == 6)
            assert contents(his, room) == [str(number) for number in range(6)]
            await hers.until(lambda: hers.is_current and hers.replica.rooms[room].pos == 6)
        assert [row["content"] for row in bob.history(room)] == contents(his, room)

    async def test_catches_up_with_what_was_said_changed_and_taken_back_while_it_was_away(
        self, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        first, second = (alice.sends(room, content) for content in ("first", "second"))
        async with client_of(bob) as client, client_of(alice) as hers:
            client.cut()
            await client.until(lambda: not client.ready.is_set())
            await hers.ask({"type": "message.edit", "id": first["id"], "content": "changed"})
            await hers.ask({"type": "message.delete", "id": second["id"]})
            third = await hers.send(room, "third")
            await hers.ask({"type": "message.edit", "id": third["id"], "content": "changed too"})
            await client.until(lambda: client.is_current and client.replica.rooms[room].pos == 6)
            assert contents(client, room) == ["changed", "", "changed too"]
            held = client.replica.rooms[room].messages.values()
            assert sorted(held, key=lambda each: each["seq"]) == bob.history(room)

    async def test_learns_while_away_of_a_room_that_opened(
        self, alice: Person, bob: Person
    ) -> None:
        async with client_of(bob) as client:
            client.cut()
            await client.until(lambda: not client.ready.is_set())
            room = alice.opens_room_with(bob)
            alice.sends(room, "Where were you?")
            await client.until(lambda: room in client.replica.rooms and client.is_current)
            assert contents(client, room) == ["Where were you?"]

    async def test_says_what_is_refused(self, alice: Person, bob: Person) -> None:
        room = alice.opens_room_with(bob)
        async with client_of(alice) as client:
            with pytest.raises(Refused, match="invalid"):
                await client.send(room, "")
            with pytest.raises(Refused, match="not_found"):
                await client.send(room + 1_000_000, "Hello")
        assert alice.history(room) == []

    async def test_gets_a_new_token_when_the_old_one_is_refused(
        self, alice: Person, bob: Person
    ) -> None:
        room = alice.opens_room_with(bob)
        good, alice.access = alice.access, "not-a-token"
        async with client_of(alice) as client:
            assert alice.access not in {good, "not-a-token"}
            assert (await client.send(room, "Still me"))["seq"] == 1
