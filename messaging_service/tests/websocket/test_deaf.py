"""What might leave a socket deaf, or tell it what it must not hear: each was seen once."""

import asyncio
import time
from contextlib import suppress

from django.db import connection
from websockets.exceptions import ConnectionClosed

from messaging.actions.members import add_member, remove_member
from messaging.models import Message, Room
from messaging.websocket.hub import subscriptions
from messaging.websocket.hub.subscriptions import Subscriptions
from messaging_service.tests.doorbell import Fate
from messaging_service.tests.engines import frozen
from messaging_service.tests.filling import fill
from messaging_service.tests.servers import closing_with
from messaging_service.tests.websocket.test_races import doorbell, listen, say

__all__ = ["doorbell", "listen"]

RESTARTING = closing_with(1012)


def test_a_room_that_only_a_catch_up_tells_of_is_listened_to(
    listen, doorbell, alice, bob, carol, room
):
    socket = listen(carol)
    add_member(room_id=room, user_id=carol.id)
    doorbell.decide([Fate.LOST])
    socket.send({"type": "sync", "user_pos": 0})
    assert socket.expect("room.added")["room"] == room
    say(alice, room, "after")
    doorbell.decide([Fate.TOLD])
    assert socket.expect("message")["content"] == "after"


def test_a_refill_of_two_pages_shows_nothing_from_between_two_memberships(
    listen, socket_server, doorbell, alice, bob, carol, room
):
    socket = listen(bob)
    with frozen(socket_server):
        fill(room, alice.id, 400, content="x" * 2_000)
        remove_member(room_id=room, user_id=bob.id)
        add_member(room_id=room, user_id=carol.id)
        say(alice, room, "between")
        add_member(room_id=room, user_id=bob.id)
        doorbell.decide([Fate.LOST])
    socket.expect("member.joined", "room.added")
    told = [frame for frame in socket.unheard if frame["type"].startswith("member")]
    assert [frame for frame in told if frame["user_id"] == carol.id] == []


class TestADatabaseThatWentBack:
    def test_closes_also_who_came_to_a_feed_of_before(self, listen, doorbell, alice, bob, room):
        fill(room, alice.id, 20)
        old = listen(alice, path=f"/ws/chat/{room}/")
        Message.objects.filter(room_id=room, seq__gt=10).delete()
        Room.objects.filter(pk=room).update(pos=10, seq=10)
        new = listen(bob, path=f"/ws/chat/{room}/")
        assert (old.closed(within=8), new.closed(within=8)) == (RESTARTING, RESTARTING)

    def test_closes_also_who_has_more_to_catch_up(self, listen, doorbell, alice, bob, room):
        fill(room, alice.id, 300, content="x" * 2_000)
        behind = listen(bob, "&after=0", path=f"/ws/chat/{room}/")
        assert behind.expect("synced")["more"]
        time.sleep(2.5)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE epoch SET value = gen_random_uuid()")
        assert behind.closed(within=6) == RESTARTING


class TestAFrozenProcess:
    async def test_listens_again(self, monkeypatch):
        """The moments to ask for Redis and to take it for gone come at once."""
        monkeypatch.setattr(subscriptions, "PING_SECONDS", 0.3)
        monkeypatch.setattr(subscriptions, "SILENCE_SECONDS", 1.0)
        restored = asyncio.Event()
        listening = Subscriptions(heard=lambda _: None, restored=restored.set)
        task = asyncio.create_task(listening.run())
        await listening.add(["parley:room:99992"])
        time.sleep(1.5)  # noqa: ASYNC251 - nothing of it runs meanwhile.
        try:
            async with asyncio.timeout(5):
                await restored.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class TestAChannel:
    async def test_given_up_and_wanted_again_is_confirmed_at_once(self):
        subscriptions = Subscriptions(heard=lambda _: None, restored=lambda: None)
        task = asyncio.create_task(subscriptions.run())
        await subscriptions.add(["parley:room:99991"])
        subscriptions.remove("parley:room:99991")
        for n in range(3):
            start = time.monotonic()
            await subscriptions.add(["parley:room:99991", f"parley:room:9999{n}0"])
            assert time.monotonic() - start < 0.5
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestAClosingSocket:
    def test_carries_out_nothing_that_came_behind(self, connect, alice, carol, room):
        socket = connect(alice, room)
        socket.expect("ready")
        socket.send({"type": "auth", "token": carol.token})
        with suppress(ConnectionClosed):
            for n in range(1_000):
                socket.send({"type": "message", "content": f"{n}"})
        assert Message.objects.filter(room_id=room).count() == 0


def test_who_did_not_ask_is_brought_every_page(listen, doorbell, alice, bob, carol, room):
    """More than a page came between being added and being listened for."""
    socket = listen(carol)
    add_member(room_id=room, user_id=carol.id)
    pos = Room.objects.get(pk=room).pos
    fill(room, alice.id, 400, content="x" * 2_000)
    doorbell.decide([Fate.TOLD])
    synced = socket.expect("synced", within=10)
    assert (synced["room"], synced["pos"], synced["more"]) == (room, pos + 400, False)
    told = [frame["pos"] for frame in socket.unheard if frame["type"] == "message"]
    assert told == list(range(pos + 1, pos + 401))
