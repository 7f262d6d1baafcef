"""The hub: in order, without gaps, whatever Redis and Postgres do meanwhile."""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import pytest
from redis import Redis as Client

from local.redis import Redis
from messaging.actions.messages import send_message
from messaging.actions.writer import Writer
from messaging.broadcast import envelope_of
from messaging.events import Event, message_sent, typing
from messaging.serializers.messages import new_message
from messaging.websocket.hub import Hub
from messaging.websocket.hub.hub import FULL_ROOM, REST_SECONDS
from messaging.websocket.hub.incoming import MOST_HELD
from messaging.websocket.hub.streams import RoomStream
from messaging_service.tests.actions.stage import Sender, new_people, new_room
from messaging_service.tests.engines import frozen, frozen_postgres
from messaging_service.tests.websocket.ears import (
    Ear,
    listen,
    listeners,
    made_up,
    tell,
    tell_raw,
    until,
)
from service_kit.refusals import as_refusal

PROMISED_SECONDS = 5.0

T = TypeVar("T")


@pytest.fixture
def people() -> list[str]:
    return new_people(2)


@pytest.fixture
def room(people: list[str]) -> int:
    return new_room(people)


Store = Callable[..., list[Event]]


@pytest.fixture
def store(people: list[str]) -> Iterator[Store]:
    """Store messages, and tell nobody: the events are the test's to tell."""
    writer = Writer()

    def send(room_id: int, count: int) -> list[Event]:
        sender = Sender(writer)
        for n in range(count):
            sender.send(room_id, people[0], f"{n}")
        sent = [answer.result(10) for answer in sender.answers]
        return [message_sent(one.row, one.text) for one in sent]

    yield partial(asyncio.to_thread, send)
    writer.stop()


async def make_rooms(people: list[str], count: int) -> list[int]:
    return await asyncio.to_thread(lambda: [new_room(people) for _ in range(count)])


class TestEvents:
    async def test_come_in_order(self, hub: Hub, redis: Redis, room: int) -> None:
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, n) for n in range(1, 101)])
        await ear.hear(100, within=1)

    async def test_that_crossed_are_put_in_order(self, hub: Hub, redis: Redis, room: int) -> None:
        ear = await listen(hub, room)
        start = time.monotonic()
        tell(redis.url, [made_up(room, n) for n in (2, 4, 3, 1)])
        await ear.hear(4, within=1)
        assert time.monotonic() - start < 0.1

    async def test_come_once(self, hub: Hub, redis: Redis, room: int) -> None:
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, n) for n in (1, 1, 2, 1, 2, 3)])
        await ear.hear(3, within=1)

    async def test_that_pass_come_to_all_but_their_author(
        self, hub: Hub, redis: Redis, room: int
    ) -> None:
        author, other = await listen(hub, room, "author"), await listen(hub, room, "other")
        told = typing(room_id=room, as_of=0, user_id="author", username="a", is_typing=True)
        tell(redis.url, [told, made_up(room, 1)])
        await author.hear(1, within=1)
        assert [frame["type"] for frame in other.frames] == ["typing", "message"]
        assert [frame["type"] for frame in author.frames] == ["message"]

    async def test_of_other_rooms_do_not_come(self, hub: Hub, redis: Redis, room: int) -> None:
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room + 1, 1), made_up(room, 1)])
        await ear.hear(1, within=1)


class TestThisProcess:
    async def test_is_heard_without_redis_and_its_echo_told_to_nobody(
        self, hub: Hub, redis: Redis, room: int
    ) -> None:
        ear = await listen(hub, room)
        events = [made_up(room, n) for n in (1, 2)]
        with frozen(redis):
            await asyncio.to_thread(overheard(hub), events)
            await ear.hear(2, within=1)
        tell(redis.url, [*events, made_up(room, 3)])
        await ear.hear(3, within=1)


class TestAFullRoom:
    @pytest.mark.parametrize(("size", "most_writes"), [(FULL_ROOM - 1, 10), (FULL_ROOM, 5)])
    async def test_is_told_at_once_and_then_not_too_often(
        self, hub: Hub, room: int, size: int, most_writes: int
    ) -> None:
        ear = await listen(hub, room)
        others = [Ear(f"{n}") for n in range(size - 1)]
        for other in others:
            other.feed = ear.feed
            other.sit(0)
        say = overheard(hub)
        say([made_up(room, 1)])
        await asyncio.sleep(0)
        assert ear.writes == 1
        for n in range(2, 11):
            say([made_up(room, n)])
            await asyncio.sleep(REST_SECONDS / 10)
        await ear.hear(10, within=1)
        assert most_writes / 2 <= ear.writes <= most_writes
        assert all(other.positions == ear.positions for other in others)


def overheard(hub: Hub) -> Callable[[Sequence[Event]], None]:
    """What tells a hub of events as its own process does."""
    hear = hub.overhear()
    return lambda events: hear([(event.channel, envelope_of(event)) for event in events])


class TestALostPublish:
    async def test_is_read_when_a_later_one_comes(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ear = await listen(hub, room)
        events = await store(room, 5)
        start = time.monotonic()
        tell(redis.url, events[3:4])
        await ear.hear(5, within=1)
        assert 0.025 < time.monotonic() - start < 0.6

    async def test_is_found_when_none_comes(
        self, hub: Hub, redis: Redis, people: list[str], store: Store
    ) -> None:
        rooms = await make_rooms(people, 12)
        ears = [await listen(hub, room) for room in rooms]
        for room in rooms:
            await store(room, 2)
        start = time.monotonic()
        for ear in ears:
            await ear.hear(2, within=PROMISED_SECONDS)
        assert time.monotonic() - start < PROMISED_SECONDS - 1

    async def test_of_many_pages_is_read_in_order(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ear = await listen(hub, room)
        events = await store(room, 1_203)
        tell(redis.url, [events[600], *events[1_200:]])
        late = asyncio.create_task(listen_late(hub, room))
        await ear.hear(1_203, within=1.5)
        more = await store(room, 2)
        tell(redis.url, more)
        await ear.hear(1_205, within=1)
        # He came in ahead of the feed, and heard nothing of what was before him.
        assert (await late).since == 1_203
        await (await late).hear(1_205)

    async def test_is_read_once_for_all_sockets(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ears = [await listen(hub, room) for _ in range(50)]
        events = await store(room, 3)
        tell(redis.url, events[2:])
        for ear in ears:
            await ear.hear(3, within=1)

    async def test_keeps_little_in_memory(self, hub: Hub, redis: Redis, room: int) -> None:
        """What cannot be read from Postgres either must not pile up."""
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, n) for n in range(2, MOST_HELD + 1_002)])
        await asyncio.sleep(0.3)
        assert len(ear.feed.incoming.positions) <= MOST_HELD

    async def test_that_is_none_is_forgotten(self, hub: Hub, redis: Redis, room: int) -> None:
        """Postgres is asked once about an event it does not know, not for ever."""
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, 10**9)])
        await asyncio.sleep(0.3)
        assert not ear.feed.incoming.positions
        tell(redis.url, [made_up(room, 1)])
        await ear.hear(1, within=0.5)


async def listen_late(hub: Hub, room: int) -> Ear:
    await asyncio.sleep(0.01)
    return await listen(hub, room)


async def after(seconds: float, work: Awaitable[T]) -> T:
    await asyncio.sleep(max(0.0, seconds))
    return await work


class TestOpening:
    async def test_misses_nothing_of_what_is_sent_meanwhile(
        self, people: list[str], settings: Any
    ) -> None:
        """Here writers and hub share a Redis, as they do in earnest."""
        hub = Hub()
        hub.start()
        rooms = await make_rooms(people, 3)
        stop = threading.Event()
        last = dict.fromkeys(rooms, 0)

        def send(room: int) -> None:
            while not stop.is_set():
                message = new_message({"content": "x"}, room_id=room)
                last[room] = send_message(
                    sender_id=people[0], room_id=room, message=message
                ).row.pos

        threads = [threading.Thread(target=send, args=(room,)) for room in rooms]
        for thread in threads:
            thread.start()
        ears: list[tuple[int, Ear]] = []

        async def visit(n: int) -> None:
            await asyncio.sleep(random.uniform(0, 1.5))
            room = rooms[n % 3]
            ear = await listen(hub, room)
            if n % 2:
                await asyncio.sleep(random.uniform(0, 0.05))
                heard = ear.positions
                assert heard == list(range(ear.since + 1, ear.since + 1 + len(heard)))
                ear.leave(hub)
            else:
                ears.append((room, ear))

        try:
            async with asyncio.timeout(30):
                while min(last.values()) < 50:
                    await asyncio.gather(*(visit(n) for n in range(150)))
        finally:
            stop.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for room, ear in ears:
            if ear.since < last[room]:
                await ear.hear(last[room])
        await hub.stop()

    async def test_misses_no_message_after_which_nothing_comes(self, people: list[str]) -> None:
        """Sooner than the audit could have found it."""
        hub = Hub()
        hub.start()
        ears: list[Ear] = []

        async def visit(room: int) -> None:
            message = new_message({"content": "x"}, room_id=room)
            send = partial(send_message, sender_id=people[0], room_id=room, message=message)
            head_start = random.uniform(-0.01, 0.01)
            listening = asyncio.create_task(after(-head_start, listen(hub, room)))
            await after(head_start, asyncio.to_thread(send))
            ears.append(await listening)

        for room in await make_rooms(people, 80):
            await visit(room)
            ear = ears[-1]
            if ear.since == 0:
                await ear.hear(1, within=0.2)
        assert {ear.since for ear in ears} == {0, 1}
        await hub.stop()

    async def test_two_hundred_rooms_at_once_takes_no_time(
        self, hub: Hub, redis: Redis, people: list[str]
    ) -> None:
        rooms = await make_rooms(people, 200)
        start = time.monotonic()
        ears = await asyncio.gather(*(listen(hub, room) for room in rooms))
        assert time.monotonic() - start < 2
        tell(redis.url, [made_up(room, 1) for room in rooms])
        for ear in ears:
            await ear.hear(1, within=1)
        assert set(listeners(redis.url, *rooms)) == {1}

    async def test_and_leaving_by_turns_never_loses_the_room(
        self, hub: Hub, redis: Redis, room: int
    ) -> None:
        async def visit(_: int) -> None:
            await asyncio.sleep(random.uniform(0, 0.5))
            ear = await listen(hub, room)
            await asyncio.sleep(random.choice([0, 0, 0.001, 0.01]))
            ear.leave(hub)

        for _ in range(4):
            await asyncio.gather(*(visit(n) for n in range(40)))
            start = time.monotonic()
            ear = await listen(hub, room)
            assert time.monotonic() - start < 0.5
            await asyncio.sleep(0.02)
            assert listeners(redis.url, room) == [1]
            tell(redis.url, [made_up(room, 1)])
            await ear.hear(1, within=0.5)
            ear.leave(hub)
        await until(lambda: listeners(redis.url, room) == [0], within=1)

    async def test_while_redis_is_away_takes_a_second(
        self, hub: Hub, redis: Redis, people: list[str], store: Store
    ) -> None:
        redis.process.kill()
        (room,) = await make_rooms(people, 1)
        start = time.monotonic()
        ear = await listen(hub, room)
        assert time.monotonic() - start < 1.5
        await store(room, 3)
        await ear.hear(3)

    async def test_while_redis_is_frozen_takes_a_second(
        self, hub: Hub, redis: Redis, people: list[str], store: Store
    ) -> None:
        await asyncio.sleep(0.1)
        with frozen(redis):
            (room,) = await make_rooms(people, 1)
            start = time.monotonic()
            ear = await listen(hub, room)
            assert time.monotonic() - start < 1.5
            await store(room, 3)
            await ear.hear(3)

    async def test_that_fails_leaves_nothing(self, hub: Hub, redis: Redis, room: int) -> None:
        (await listen(hub, room)).leave(hub)
        with frozen_postgres():
            start = time.monotonic()
            found = await asyncio.gather(
                *(listen(hub, room) for _ in range(3)), return_exceptions=True
            )
            assert {as_refusal(each).code for each in found} == {"unavailable"}
            assert time.monotonic() - start < PROMISED_SECONDS
        await until(lambda: listeners(redis.url, room) == [0], within=1)
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, 1)])
        await ear.hear(1, within=1)

    async def test_that_is_cancelled_leaves_nothing(
        self, hub: Hub, redis: Redis, room: int
    ) -> None:
        for pause in (0, 0, 0.0005, 0.001, 0.002, 0.005):
            nobody = Ear("nobody")
            task = asyncio.create_task(hub.open([RoomStream(room)], nobody))
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled():
                hub.release(task.result(), nobody)
        await until(lambda: listeners(redis.url, room) == [0], within=1)
        ear = await listen(hub, room)
        tell(redis.url, [made_up(room, 1)])
        await ear.hear(1, within=1)


class TestRedis:
    async def test_that_was_killed_is_listened_to_again(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ear = await listen(hub, room)
        redis.process.kill()
        await store(room, 5)
        await asyncio.sleep(0.1)
        redis.start()
        start = time.monotonic()
        await ear.hear(5)
        await until(lambda: listeners(redis.url, room) == [1], within=3)
        assert time.monotonic() - start < PROMISED_SECONDS
        tell(redis.url, [made_up(room, 6)])
        await ear.hear(6, within=0.5)

    async def test_that_cut_the_connection_is_listened_to_again(
        self, hub: Hub, redis: Redis, room: int
    ) -> None:
        ear = await listen(hub, room)
        with Client.from_url(redis.url) as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await until(lambda: listeners(redis.url, room) == [1], within=3)
        tell(redis.url, [made_up(room, 1)])
        await ear.hear(1, within=0.5)

    async def test_that_was_frozen_hides_nothing(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ear = await listen(hub, room)
        with frozen(redis):
            events = await store(room, 3)
            await ear.hear(3)
        tell(redis.url, events)
        tell(redis.url, [made_up(room, 4)])
        await ear.hear(4, within=1)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"garbage",
            b"{}\n{}",
            b"[]\n{}",
            b"[1,2]\n{}",
            b"\xff\xfe\n{}",
            b'["2","message",1,"",[],0]\n{}',
            b'[null,"message",1,"",[],0]\n{}',
            b'[[2],"message",1,"",[],0]\n{}',
        ],
    )
    async def test_may_carry_nonsense(self, hub: Hub, redis: Redis, room: int, data: bytes) -> None:
        ear = await listen(hub, room)
        tell_raw(redis.url, room, data)
        tell(redis.url, [made_up(room, 1)])
        await ear.hear(1, within=0.5)
        tell(redis.url, [made_up(room, 2)])
        await ear.hear(2, within=0.5)


class TestASocketThatFails:
    async def test_harms_no_other(self, hub: Hub, redis: Redis, room: int) -> None:
        first = await listen(hub, room)

        def fail(frame: object) -> None:
            raise RuntimeError("the transport is closed")

        broken = await listen(hub, room)
        broken.send = fail  # type: ignore[method-assign]
        last = await listen(hub, room)
        tell(redis.url, [made_up(room, n) for n in (1, 2)])
        await first.hear(2, within=0.5)
        await last.hear(2, within=0.5)


class TestPostgres:
    async def test_that_is_frozen_during_a_refill_loses_nothing(
        self, hub: Hub, redis: Redis, room: int, store: Store
    ) -> None:
        ear = await listen(hub, room)
        events = await store(room, 5)
        with frozen_postgres():
            tell(redis.url, events[4:])
            await asyncio.sleep(3.5)
            assert ear.positions == []
        await ear.hear(5)
        tell(redis.url, [made_up(room, 6)])
        await ear.hear(6, within=0.5)
