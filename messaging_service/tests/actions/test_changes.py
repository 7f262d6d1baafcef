"""Durable changes outside the writer: what they promise when Postgres or a lock is away."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

from e2e.proxy import Proxy
from messaging.actions.changes import next_user_positions, room_change, told_change
from messaging.actions.messages import delete_message, edit_message
from messaging.broadcast import publish, unseal
from messaging.errors import NotFound, OutcomeUnknown, Unavailable
from messaging.events import Event, room_channel
from messaging.models import Message, Profile, Room
from messaging_service.tests.actions.stage import Sender, new_people, new_room
from messaging_service.tests.engines import frozen_postgres
from messaging_service.tests.telling import listen


@pytest.fixture
def message(sender: Sender, room: int, people: list[str]) -> int:
    """A message of the first of the people."""
    return sender.sent(room, people[0], "as it was").row.id


@pytest.fixture
def untold(room: int) -> Iterator[None]:
    """Nothing of what the test does is told in the room, except what had been sent before."""
    with listen(room_channel(room)) as hear:
        yield
        publish([Event(room_channel(room), "the end", b"{}")])
        while (kind := unseal(hear()).kind) == "message":
            pass
        assert kind == "the end"


def content_of(message: int) -> str:
    return Message.objects.values_list("content", flat=True).get(pk=message)


@pytest.fixture
def lossy(proxy: Proxy) -> Iterator[Proxy]:
    """The proxy, and this thread's connection goes through it."""
    connection.close()
    connection.ensure_connection()
    yield proxy
    connection.close()


def change(room: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    with room_change(room) as change:
        pos = change.next_pos()
        change.events.append(Event(room_channel(room), "test", b"{}", pos=pos))
        meanwhile()
        Room.objects.get(pk=room)


class TestARoomChange:
    def test_raises_the_position_and_tells(self, room: int, people: list[str]) -> None:
        with listen(room_channel(room)) as hear:
            change(room)
            assert hear().endswith(b"\n{}")
        assert Room.objects.get(pk=room).pos == 1

    @pytest.mark.usefixtures("untold")
    def test_of_which_nothing_came_tells_nothing(self, room: int) -> None:
        def fail() -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            change(room, fail)
        assert Room.objects.get(pk=room).pos == 0

    @pytest.mark.parametrize("room_id", [0, -1, 2**63 - 1, 2**63, 10**30])
    def test_of_no_room_is_not_found(self, room_id: int) -> None:
        with pytest.raises(NotFound), room_change(room_id):
            pytest.fail("there is no such room")

    def test_gives_way_to_who_holds_the_room(
        self, hold: Callable[..., Any], room: int, people: list[str], message: int
    ) -> None:
        link = hold(room)
        start = time.monotonic()
        for act in (
            lambda: edit_message(user_id=people[0], message_id=message, content="x"),
            lambda: delete_message(user_id=people[0], message_id=message),
        ):
            with pytest.raises(Unavailable):
                act()
        assert time.monotonic() - start < 2
        link.rollback()
        assert content_of(message) == "as it was"
        edit_message(user_id=people[0], message_id=message, content="x")
        assert content_of(message) == "x"

    def test_waits_for_who_holds_it_shortly(
        self, hold: Callable[..., Any], together: Any, room: int, people: list[str], message: int
    ) -> None:
        link = hold(room)

        def act(number: int) -> None:
            if number:
                edit_message(user_id=people[0], message_id=message, content="x")
            else:
                time.sleep(0.2)
                link.commit()

        together(2, act)
        assert content_of(message) == "x"


class TestALostConnection:
    @pytest.mark.usefixtures("untold")
    def test_during_commit_says_that_nobody_knows(
        self, lossy: Proxy, room: int, people: list[str], message: int
    ) -> None:
        lossy.lose_next = "reply"
        with pytest.raises(OutcomeUnknown):
            edit_message(user_id=people[0], message_id=message, content="x")
        assert (lossy.losses, content_of(message)) == (1, "x")

    @pytest.mark.usefixtures("untold")
    def test_before_commit_says_that_nobody_knows_either(
        self, lossy: Proxy, room: int, people: list[str], message: int
    ) -> None:
        lossy.lose_next = "request"
        with pytest.raises(OutcomeUnknown):
            edit_message(user_id=people[0], message_id=message, content="x")
        assert (lossy.losses, content_of(message)) == (1, "as it was")

    @pytest.mark.usefixtures("untold")
    def test_earlier_changes_nothing(
        self, lossy: Proxy, room: int, people: list[str], message: int
    ) -> None:
        with pytest.raises(Unavailable):
            change(room, lossy.reset)
        connection.close()
        assert Room.objects.get(pk=room).pos == 1

    def test_during_the_commit_of_no_change_is_no_doubt(
        self, lossy: Proxy, people: list[str], message: int
    ) -> None:
        lossy.lose_next = "reply"
        with pytest.raises(Unavailable):
            edit_message(user_id=people[0], message_id=message, content="as it was")

    def test_is_got_over(self, lossy: Proxy, people: list[str], message: int) -> None:
        lossy.lose_next = "request"
        with pytest.raises(OutcomeUnknown):
            edit_message(user_id=people[0], message_id=message, content="x")
        edit_message(user_id=people[0], message_id=message, content="y")
        assert content_of(message) == "y"

    def test_to_a_frozen_postgres_is_answered_in_time(
        self, people: list[str], message: int
    ) -> None:
        connection.ensure_connection()
        start = time.monotonic()
        with frozen_postgres(), pytest.raises((Unavailable, OperationalError)):
            edit_message(user_id=people[0], message_id=message, content="x")
        assert time.monotonic() - start < 5
        connection.close()
        assert content_of(message) == "as it was"


class TestPersonalPositions:
    def test_rise_by_one_each(self, people: list[str]) -> None:
        with told_change():
            assert next_user_positions(people) == dict.fromkeys(people, 1)
            assert next_user_positions(people[:1]) == {people[0]: 2}
        kept = Profile.objects.order_by("pos").filter(pk__in=people).values_list("pos", flat=True)
        assert list(kept) == [1, 2]

    def test_of_unknown_people_are_left_out(self) -> None:
        with told_change():
            assert next_user_positions(["nobody knows"]) == {}

    def test_do_not_lock_each_other_out_in_whichever_order(self, together: Any) -> None:
        people = new_people(4)

        def act(number: int) -> None:
            with told_change():
                next_user_positions(people if number % 2 else people[::-1])

        together(8, act)
        assert set(Profile.objects.filter(pk__in=people).values_list("pos", flat=True)) == {8}


class TestRoomsOfOthers:
    def test_are_not_waited_for(self, hold: Callable[..., Any], people: list[str]) -> None:
        held, free = new_room(people), new_room(people)
        hold(held)
        change(free)
        assert Room.objects.get(pk=free).pos == 1
