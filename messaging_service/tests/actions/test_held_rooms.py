"""Rooms somebody else holds: they wait by themselves, in order, and not for ever."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from messaging.actions.writer import Writer
from messaging_service.tests.actions.stage import Sender, assert_dense, code, new_room, stored

Hold = Callable[..., Any]
PATIENCE = 5.0


def settled_after(answers: list[Any], *, patience: float = 10.0) -> float:
    """Seconds until every one of them has its outcome."""
    start = time.monotonic()
    for answer in answers:
        answer.result(patience)
    return time.monotonic() - start


class TestAHeldRoom:
    def test_does_not_stall_the_others(self, sender: Sender, people: list[str], hold: Hold) -> None:
        held, free = new_room(people), [new_room(people) for _ in range(5)]
        sender.sent(free[0], people[0], "warm")
        holder = hold(held)
        waiting = [sender.send(held, people[0], str(n)) for n in range(20)]
        times = []
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            start = time.monotonic()
            sender.sent(free[len(times) % 5], people[1], "x")
            times.append(time.monotonic() - start)
            waiting.append(sender.send(held, people[0], str(len(waiting))))
        assert not any(answer.done() for answer in waiting)
        assert sorted(times)[len(times) * 99 // 100] < 0.2
        assert len(times) > 100
        holder.commit()
        settled_after(waiting)
        rows = assert_dense(held)
        assert [row.content for row in rows] == [str(n) for n in range(len(waiting))]

    def test_held_for_two_seconds_keeps_every_send(
        self, sender: Sender, room: int, people: list[str], hold: Hold
    ) -> None:
        holder = hold(room)
        answers = [sender.send(room, people[0], str(n)) for n in range(300)]
        time.sleep(2.0)
        holder.commit()
        settled_after(answers)
        assert {code(answer.result(0)) for answer in answers} == {"sent"}
        assert [row.content for row in assert_dense(room)] == [str(n) for n in range(300)]

    def test_held_for_longer_is_refused_in_time(
        self, sender: Sender, room: int, people: list[str], hold: Hold
    ) -> None:
        holder = hold(room)
        start = time.monotonic()
        answers = []
        for n in range(20):
            answers.append(sender.send(room, people[0], str(n)))
            time.sleep(0.05)
        took = settled_after(answers)
        assert {code(answer.result(0)) for answer in answers} == {"unavailable"}
        assert took < PATIENCE, start
        assert not stored(room)
        holder.commit()
        sender.sent(room, people[0], "after")
        assert [row.content for row in assert_dense(room)] == ["after"]

    def test_may_hold_many_sends_at_once(
        self, sender: Sender, room: int, people: list[str], hold: Hold
    ) -> None:
        hold(room)
        answers = [sender.send(room, people[0], str(n)) for n in range(1000)]
        assert settled_after(answers) < PATIENCE
        assert {code(answer.result(0)) for answer in answers} == {"unavailable"}
        assert not stored(room)


class TestManyHeldRooms:
    def test_do_not_stall_the_others_when_they_are_met(
        self, sender: Sender, people: list[str], hold: Hold
    ) -> None:
        held, free = [new_room(people) for _ in range(10)], new_room(people)
        hold(*held)
        sender.sent(free, people[1], "warm")
        times = []
        for room in held:
            sender.send(room, people[0], "waits")
            start = time.monotonic()
            sender.sent(free, people[1], "x")
            times.append(time.monotonic() - start)
        assert sorted(times)[5] < 0.2

    def test_do_not_stall_the_others(self, sender: Sender, people: list[str], hold: Hold) -> None:
        held = [new_room(people) for _ in range(10)]
        free = new_room(people)
        holders = [hold(room) for room in held]
        answers = {room: [sender.send(room, people[0], str(n)) for n in range(5)] for room in held}
        time.sleep(0.2)
        times = []
        for _ in range(200):
            start = time.monotonic()
            sender.sent(free, people[1], "x")
            times.append(time.monotonic() - start)
        assert sorted(times)[198] < 0.2
        for holder in holders:
            holder.commit()
        for room in held:
            settled_after(answers[room])
            assert [row.content for row in assert_dense(room)] == [str(n) for n in range(5)]

    def test_are_all_refused_in_time(self, sender: Sender, people: list[str], hold: Hold) -> None:
        held = [new_room(people) for _ in range(10)]
        hold(*held)
        answers = [sender.send(room, people[0], str(n)) for n in range(5) for room in held]
        assert settled_after(answers) < PATIENCE
        assert {code(answer.result(0)) for answer in answers} == {"unavailable"}
        assert not any(stored(room) for room in held)

    def test_leave_room_for_one_that_is_held_for_a_moment(
        self, sender: Sender, people: list[str], hold: Hold
    ) -> None:
        """Ten rooms stuck, and an eleventh another process is just committing in."""
        hold(*(stuck := [new_room(people) for _ in range(10)]))
        for room in stuck:
            sender.send(room, people[0], "stuck")
        time.sleep(0.1)
        brief = new_room(people)
        holder = hold(brief)
        answer = sender.send(brief, people[0], "brief")
        time.sleep(0.1)
        holder.commit()
        start = time.monotonic()
        assert code(answer.result(10)) == "sent"
        assert time.monotonic() - start < 1.0


class TestTheQueue:
    def test_is_bounded(self, writer: Writer, people: list[str], hold: Hold) -> None:
        room = new_room(people)
        hold(room)
        sender = Sender(writer)
        answers = [sender.send(room, people[0], str(n)) for n in range(12_000)]
        at_once = [answer for answer in answers if answer.done()]
        assert len(at_once) > 1_000
        assert {code(answer.result(0)) for answer in at_once} == {"unavailable"}
        assert settled_after(answers) < PATIENCE
        assert not stored(room)


class TestRoomsTwoProcessesWriteTo:
    def test_are_shared_fairly(self, people: list[str]) -> None:
        """Two writers, one room: neither starves."""
        room = new_room(people)
        writers = [Writer(), Writer()]
        times: list[list[float]] = [[], []]

        def send_all(which: int) -> None:
            sender = Sender(writers[which])
            for n in range(150):
                start = time.monotonic()
                sender.sent(room, people[which], str(n))
                times[which].append(time.monotonic() - start)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(send_all, range(2)))
        for writer in writers:
            writer.stop()
        assert len(assert_dense(room)) == 300
        assert max(max(each) for each in times) < 1.0
