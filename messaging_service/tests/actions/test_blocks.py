"""Blocks against what happens at the same moment: each is before the other or after it."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

import pytest
from django.db import connection

from messaging.actions.blocks import block_person, lift_block
from messaging.actions.changes import pair_key
from messaging.actions.contacts import accept_contact, end_contact, request_contact
from messaging.actions.profiles import know_person
from messaging.actions.rooms import open_direct_room
from messaging.errors import Blocked, Unavailable
from messaging.models import Block, Contact, Room
from messaging_service.tests.actions.stage import Sender, code, new_link, stored
from service_kit.refusals import Refusal


@pytest.fixture
def room(people: list[str]) -> int:
    return open_direct_room(caller_id=people[0], other=know_person(user_id=people[1])).room.pk


def block(people: list[str]) -> None:
    block_person(user_id=people[0], other=know_person(user_id=people[1]))


def elsewhere(act: Any, *arguments: Any) -> Future[Any]:
    """Do it on a thread of its own, whose connection is closed in the end."""

    def do() -> Any:
        with closing(connection):
            return act(*arguments)

    with_one = ThreadPoolExecutor(1)
    done = with_one.submit(do)
    with_one.shutdown(wait=False)
    return done


class TestABlock:
    def test_waits_for_a_send_on_its_way(self, people: list[str], room: int, hold: Any) -> None:
        # The send has looked, and found no block; it holds the room until it is stored.
        send = hold(room)
        blocking = elsewhere(block, people)
        with pytest.raises(TimeoutError):
            blocking.result(0.15)
        send.commit()
        blocking.result(5)
        assert Block.objects.filter(blocker=people[0], is_lifted=False).exists()

    def test_holds_for_every_send_after_it(
        self, people: list[str], room: int, sender: Sender
    ) -> None:
        began, ended = Event(), Event()

        def write() -> None:
            while not ended.is_set():
                sender.send(room, people[len(sender.answers) % 2], "x").result(10)
                began.set()

        writing = elsewhere(write)
        assert began.wait(5)
        block(people)
        last = Room.objects.get(pk=room).seq
        refused = sender.send(room, people[1], "too late")
        assert code(refused.result(5)) == "blocked"
        ended.set()
        writing.result(5)
        assert Room.objects.get(pk=room).seq == last == len(stored(room)) > 0
        outcomes = [code(answer.result(0)) for answer in sender.answers]
        assert sorted(set(outcomes)) == ["blocked", "sent"]
        assert outcomes.count("sent") == last

    def test_gives_up_where_the_room_is_held_for_long(
        self, people: list[str], room: int, hold: Any
    ) -> None:
        hold(room)
        with pytest.raises(Unavailable):
            block(people)
        assert not Block.objects.filter(blocker=people[0]).exists()

    def test_is_waited_for_by_who_opens_a_room(self, people: list[str]) -> None:
        with closing(new_link()) as link, link.cursor() as cursor:
            key = pair_key(*people)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            cursor.execute(
                "INSERT INTO blocks (blocker_id, blocked_id, created_at, is_lifted, pos)"
                " VALUES (%s, %s, now(), false, 1)",
                people,
            )
            other = know_person(user_id=people[1])
            opening = elsewhere(lambda: open_direct_room(caller_id=people[0], other=other))
            with pytest.raises(TimeoutError):
                opening.result(0.15)
            link.commit()
            with pytest.raises(Blocked):
                opening.result(5)
        assert not Room.objects.filter(created_by=people[0]).exists()


class TestManyAtOnce:
    def test_end_where_one_after_the_other_would(self, people: list[str]) -> None:
        """Nobody is a contact of who blocks him, and each position is told once."""
        one, other = (know_person(user_id=user_id) for user_id in people)

        def act(number: int) -> str:
            mine, his = ((one, other), (other, one))[number % 2]
            try:
                match number // 2 % 5:
                    case 0 | 1:
                        request_contact(user_id=mine.pk, other=his)
                    case 2:
                        for contact in Contact.objects.filter(requester=his):
                            accept_contact(user_id=mine.pk, contact_id=contact.pk)
                    case 3:
                        for contact in Contact.objects.filter(requester=mine):
                            end_contact(user_id=mine.pk, contact_id=contact.pk)
                    case 4:
                        block_person(user_id=mine.pk, other=his)
                        lift_block(user_id=mine.pk, blocked_id=his.pk)
            except Refusal as refusal:
                return refusal.code
            finally:
                connection.close()
            return "done"

        with ThreadPoolExecutor(6) as pool:
            codes = set(pool.map(act, range(60)))
        assert codes <= {"done", "blocked", "not_found", "conflict", "forbidden", "unavailable"}
        block(people)
        contact = Contact.objects.filter(requester__in=people).first()
        assert contact is None or contact.state in {"removed", "declined"}
        assert Contact.objects.filter(requester__in=people).count() <= 1
