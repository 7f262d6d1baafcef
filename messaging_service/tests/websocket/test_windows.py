"""Who was removed hears nothing that is later, whatever his hub heard or missed."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from local.redis import Redis
from messaging.actions.members import add_member, remove_member
from messaging.actions.messages import edit_message
from messaging.actions.writer import Writer
from messaging.events import Event, message_sent, presence, typing
from messaging.models import Message
from messaging.queries.changes import room_refill
from messaging.websocket.hub import Hub
from messaging_service.tests.actions.stage import Sender, new_people, new_room
from messaging_service.tests.websocket.ears import Ear, listen, tell, until


@pytest.fixture
def people() -> list[str]:
    return new_people(3)


@pytest.fixture
def room(people: list[str]) -> int:
    return new_room(people)


Act = Callable[..., Any]


@pytest.fixture
def act(people: list[str], room: int) -> Iterator[Act]:
    """Run actions in a thread, where they may use the database: send, remove, add, or any."""
    writer = Writer()

    def send() -> Event:
        sender = Sender(writer)
        sender.send(room, people[0], "x")
        sent = sender.answers[0].result(10)
        return message_sent(sent.row, sent.text)

    verbs = {
        "send": send,
        "remove": partial(remove_member, room_id=room, user_id=people[1]),
        "add": partial(add_member, room_id=room, user_id=people[1]),
    }

    async def run(verb: str | Callable[[], Any]) -> Any:
        return await asyncio.to_thread(verbs[verb] if isinstance(verb, str) else verb)

    yield run
    writer.stop()


def told(ear: Ear) -> list[tuple[str, int]]:
    return [(frame["type"], frame["pos"]) for frame in ear.frames]


@pytest.fixture
async def ears(hub: Hub, room: int, people: list[str]) -> tuple[Ear, Ear]:
    """Who stays, and who is going to be removed."""
    return await listen(hub, room, people[2]), await listen(hub, room, people[1])


async def changes(room: int, after: int) -> list[Event]:
    read = partial(room_refill, room_id=room, after=after, user_ids=[])
    return (await asyncio.to_thread(read)).events


class TestARemoval:
    """Rule 20, for what is told."""

    async def test_heard_is_the_last_he_is_told(
        self, redis: Redis, room: int, act: Act, ears: tuple[Ear, Ear]
    ) -> None:
        stays, leaves = ears
        for verb in ("send", "remove", "send"):
            await act(verb)
        tell(redis.url, await changes(room, 0))
        await until(lambda: len(stays.frames) == 3, within=1)
        expected = [("message", 1), ("member.left", 2), ("message", 3)]
        assert (told(stays), told(leaves)) == (expected, expected[:2])
        assert leaves.turned == [("ended",)]

    @pytest.mark.parametrize("told_later", [1, 0])
    async def test_that_was_missed_is_the_last_he_is_told(
        self, redis: Redis, room: int, act: Act, ears: tuple[Ear, Ear], told_later: int
    ) -> None:
        """Whether a later event shows that something is missing, or the audit finds it."""
        stays, leaves = ears
        await act("send")
        await act("remove")
        last = await act("send")
        tell(redis.url, [last][:told_later])
        await until(lambda: len(stays.frames) == 3, within=4)
        expected = [("message", 1), ("member.left", 2), ("message", 3)]
        assert (told(stays), told(leaves)) == (expected, expected[:2])
        assert leaves.turned == [("ended",)]

    async def test_that_was_missed_hides_what_passes(
        self, redis: Redis, room: int, act: Act, people: list[str], ears: tuple[Ear, Ear]
    ) -> None:
        stays, leaves = ears
        await act("remove")
        writing = typing(room_id=room, as_of=1, user_id=people[0], username="", is_typing=True)
        shown = presence({"user_id": people[0]}, number=1, rooms={room: 1})
        tell(redis.url, [writing, shown])
        await until(lambda: len(stays.frames) == 3, within=1)
        kinds = [frame["type"] for frame in stays.frames]
        assert kinds == ["member.left", "typing", "presence"]
        assert told(leaves) == [("member.left", 1)]

    async def test_between_two_pages_of_a_refill_ends_between_them(
        self, redis: Redis, room: int, act: Act, ears: tuple[Ear, Ear]
    ) -> None:
        stays, leaves = ears
        for _ in range(600):
            await act("send")
        await act("remove")
        for _ in range(600):
            await act("send")
        await until(lambda: len(stays.frames) == 1_201, within=5)
        assert [frame["pos"] for frame in stays.frames] == list(range(1, 1_202))
        assert [frame["pos"] for frame in leaves.frames] == list(range(1, 602))
        assert leaves.turned == [("ended",)]


class TestWhoWasAddedAgain:
    async def test_unheard_starts_over_and_hears_nothing_of_in_between(
        self, redis: Redis, room: int, act: Act, ears: tuple[Ear, Ear]
    ) -> None:
        stays, leaves = ears
        for verb in ("send", "remove", "send", "add"):
            await act(verb)
        last = await act("send")
        tell(redis.url, [last])
        await until(lambda: len(stays.frames) == 4, within=1)
        # The removal is replaced by the row's later change.
        assert told(stays) == [
            ("message", 1),
            ("message", 3),
            ("member.joined", 4),
            ("message", 5),
        ]
        assert told(leaves) == [("member.joined", 4), ("message", 5)]
        assert leaves.turned == [("renewed", 5)]

    async def test_hears_no_change_of_what_was_before_him(
        self, redis: Redis, room: int, people: list[str], act: Act, ears: tuple[Ear, Ear]
    ) -> None:
        stays, leaves = ears
        for verb in ("send", "remove", "add", "send"):
            await act(verb)
        first = await act(lambda: Message.objects.get(room_id=room, seq=1).pk)
        await act(partial(edit_message, user_id=people[0], message_id=first, content="y"))
        tell(redis.url, [await act("send")])
        await until(lambda: len(stays.frames) == 4, within=1)
        assert ("message", 5) in told(stays)
        assert told(leaves) == [("member.joined", 3), ("message", 4), ("message", 6)]

    async def test_live_hears_no_change_of_what_was_before_him(
        self, hub: Hub, redis: Redis, room: int, people: list[str], act: Act
    ) -> None:
        for verb in ("send", "remove", "add"):
            await act(verb)
        window = (await act(partial(room_refill, room_id=room, after=0, user_ids=people))).windows
        ear, new = await listen(hub, room, people[2]), await listen(hub, room, people[1])
        new.seat.window = window[people[1]]
        new.feed.leave(new.seat)
        new.sit(3, window[people[1]])
        first = await act(lambda: Message.objects.get(room_id=room, seq=1).pk)
        await act(partial(edit_message, user_id=people[0], message_id=first, content="y"))
        await act("send")
        tell(redis.url, await changes(room, 3))
        await until(lambda: len(ear.frames) == 2, within=1)
        assert told(ear) == [("message.updated", 4), ("message", 5)]
        assert told(new) == [("message", 5)]
