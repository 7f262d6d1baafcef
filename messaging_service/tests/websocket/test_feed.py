"""A feed: who is told what, joined and in chunks, and who comes in while it goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from messaging.broadcast import seal, unseal
from messaging.events import typing
from messaging.permissions import Window
from messaging.websocket.hub import typists
from messaging.websocket.hub.arrivals import MOST_REMEMBERED
from messaging.websocket.hub.feed import Feed
from messaging.websocket.hub.incoming import MOST_HELD
from messaging.websocket.hub.streams import RoomStream
from messaging.websocket.hub.telling import CHUNK, MOST_WAITING
from messaging_service.tests.websocket.ears import Ear, made_up, until

ROOM = 1


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    made = Feed(RoomStream(ROOM))
    yield made
    made.close()


def sit(
    feed: Feed, pos: int = 0, *, user_id: str = "somebody", window: Window | None = None
) -> Ear:
    ear = Ear(user_id)
    ear.feed = feed
    assert ear.sit(pos, window or Window(1, 0, None))
    return ear


def take(feed: Feed, *positions: int, **changes: Any) -> None:
    """Let these come in from Redis at once."""
    for pos in positions:
        event = made_up(ROOM, pos)
        feed.take(unseal(seal(event))._replace(**changes))
    feed.advance()


class TestABurst:
    async def test_is_one_write_for_each_socket(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(3)]
        take(feed, 1, 2, 3, 4)
        assert [(ear.positions, ear.writes) for ear in ears] == [([1, 2, 3, 4], 1)] * 3

    async def test_that_is_not_for_everybody_is_told_to_each(self, feed: Feed) -> None:
        first, second = sit(feed, user_id="1"), sit(feed, user_id="2")
        take(feed, 1, 2, author_id="1")
        assert (first.positions, second.positions) == ([], [1, 2])

    async def test_tells_a_message_only_to_who_may_see_it(self, feed: Feed) -> None:
        old, new = sit(feed, 5), sit(feed, 5, window=Window(4, 3, None))
        feed.take(unseal(seal(made_up(ROOM, 6)))._replace(seq=3))
        take(feed, 7, seq=4)
        assert (old.positions, new.positions) == ([6, 7], [7])


class TestALargeRoom:
    async def test_is_told_in_chunks_in_order(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(2 * CHUNK + 1)]
        take(feed, 1)
        take(feed, 2)
        assert [ear.positions for ear in ears if ear.positions] == []
        await asyncio.sleep(0)
        assert sum(bool(ear.positions) for ear in ears) == CHUNK
        await until(lambda: ears[-1].positions == [1, 2], within=1)
        assert {tuple(ear.positions) for ear in ears} == {(1, 2)}

    async def test_tells_nothing_more_to_who_left_meanwhile(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(2 * CHUNK)]
        take(feed, 1)
        feed.leave(ears[-1].seat)
        take(feed, 2)
        await until(lambda: ears[0].positions == [1, 2], within=1)
        await asyncio.sleep(0.01)
        assert ears[-1].positions == []

    async def test_lets_who_comes_meanwhile_hear_what_is_after_him(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(2 * CHUNK)]
        with feed.arriving():
            take(feed, 1)
            take(feed, 2)
            late = sit(feed, 1)
        take(feed, 3)
        await until(lambda: late.positions == [2, 3], within=1)
        assert ears[-1].positions == [1, 2, 3]

    async def test_keeps_little_that_waits(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(CHUNK + 1)]
        for pos in range(1, 2 * MOST_WAITING):
            take(feed, pos)
        assert len(feed.incoming.positions) >= MOST_WAITING - 2
        await until(lambda: ears[-1].positions[-1:] == [2 * MOST_WAITING - 1], within=2)
        assert ears[-1].positions == list(range(1, 2 * MOST_WAITING))

    async def test_ends_a_seat_only_after_what_was_before(self, feed: Feed) -> None:
        ears = [sit(feed) for _ in range(CHUNK)]
        leaving = sit(feed, user_id="leaving")
        take(feed, 1)
        left = json.dumps({"type": "member.left", "pos": 2, "user_id": "leaving"}).encode()
        take(feed, 2, kind="member.left", text=left, seq=0)
        take(feed, 3)
        assert leaving.turned == []
        await until(lambda: ears[0].positions == [1, 3], within=1)
        assert [frame["pos"] for frame in leaving.frames] == [1, 2]
        assert leaving.turned == [("ended",)]


class TestComingIn:
    async def test_is_told_what_came_while_it_was_read(self, feed: Feed) -> None:
        first = sit(feed, 3)
        with feed.arriving():
            take(feed, 4, 5)
            late = sit(feed, 4)
        take(feed, 6)
        assert (first.positions, late.positions) == ([4, 5, 6], [5, 6])

    async def test_ahead_of_the_feed_hears_nothing_twice(self, feed: Feed) -> None:
        first = sit(feed, 3)
        late = sit(feed, 5)
        take(feed, 4, 5, 6)
        take(feed, 7)
        assert (first.positions, late.positions) == ([4, 5, 6, 7], [6, 7])

    async def test_after_too_much_must_be_tried_again(self, feed: Feed) -> None:
        sit(feed)
        with feed.arriving():
            for first in range(1, MOST_REMEMBERED + 2, 2):
                take(feed, first, first + 1)
            late = Ear("late")
            late.feed = feed
            assert not late.sit(5)
            assert late.sit(MOST_REMEMBERED + 1)
        assert late.positions == [MOST_REMEMBERED + 2]

    async def test_remembers_nothing_when_nobody_is_on_his_way(self, feed: Feed) -> None:
        sit(feed)
        with feed.arriving():
            take(feed, 1)
        take(feed, 2)
        assert not feed._arrivals._told

    async def test_first_takes_what_had_come_before(self, feed: Feed) -> None:
        with feed.arriving():
            take(feed, 7, 8, 9)
            assert sit(feed, 7).positions == [8, 9]

    async def test_alone_is_what_makes_it_hold_anything(self, feed: Feed) -> None:
        take(feed, 7, 8, 9)
        assert feed.incoming.positions == []

    async def test_of_two_the_one_behind_the_other_reads_again(self, feed: Feed) -> None:
        """The feed begins where the first one stood: what was before that, nobody remembers."""
        with feed.arriving():
            sit(feed, 7)
            second = Ear("second")
            second.feed = feed
            assert not second.sit(5)


class TestWhatIsHeld:
    async def test_is_little(self, feed: Feed) -> None:
        sit(feed)
        take(feed, *range(2, MOST_HELD + 10))
        assert len(feed.incoming.positions) == MOST_HELD
        assert feed.incoming.is_overfull
        assert feed.has_gap
        # The next one has room all the same.
        take(feed, 1)
        assert not feed.has_gap


class TestTyping:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(typists, "TYPING_SECONDS", 0.1)

    def start(self, feed: Feed, *, is_typing: bool = True) -> None:
        told = typing(room_id=ROOM, as_of=0, user_id="1", username="one", is_typing=is_typing)
        feed.take(unseal(seal(told)))
        feed.advance()

    async def test_is_ended_by_the_server(self, feed: Feed) -> None:
        author, other = sit(feed, user_id="1"), sit(feed, user_id="2")
        self.start(feed)
        await asyncio.sleep(0.15)
        assert [frame["is_typing"] for frame in other.frames] == [True, False]
        assert other.frames[1] == {**other.frames[0], "is_typing": False}
        assert author.frames == []

    async def test_waits_for_who_may_have_been_removed(self, feed: Feed) -> None:
        """It was seen at a position this feed has not come to: somebody may have left before."""
        ear = sit(feed, user_id="2")
        told = typing(room_id=ROOM, as_of=2, user_id="1", username="one", is_typing=True)
        feed.take(unseal(seal(told)), as_of=2)
        take(feed, 1)
        assert [frame["type"] for frame in ear.frames] == ["message"]
        assert feed.has_gap
        take(feed, 2)
        assert [frame["type"] for frame in ear.frames] == ["message", "message", "typing"]
        assert not feed.has_gap

    async def test_goes_on_as_long_as_it_is_said(self, feed: Feed) -> None:
        ear = sit(feed, user_id="2")
        for _ in range(3):
            self.start(feed)
            await asyncio.sleep(0.06)
        assert [frame["is_typing"] for frame in ear.frames] == [True] * 3
        await asyncio.sleep(0.1)
        assert [frame["is_typing"] for frame in ear.frames] == [True] * 3 + [False]

    async def test_that_was_ended_is_not_ended_again(self, feed: Feed) -> None:
        ear = sit(feed, user_id="2")
        self.start(feed)
        self.start(feed, is_typing=False)
        await asyncio.sleep(0.15)
        assert [frame["is_typing"] for frame in ear.frames] == [True, False]
