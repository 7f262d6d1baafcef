"""The writer: dense numbers, nothing twice, nothing lost, nobody let in late."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from messaging.actions.writer import Sent, Writer
from messaging.models import Member, Room
from messaging_service.tests.actions.stage import (
    Sender,
    assert_dense,
    code,
    counters,
    new_people,
    new_room,
    stored,
)

OTHER_PROCESS = Path(__file__).with_name("other_process.py")


class Other:
    """Another process of the service, ready to send at once."""

    def __init__(self, sends: Sequence[Sequence[Any]]) -> None:
        service = OTHER_PROCESS.parent.parent.parent
        path = os.pathsep.join([str(service), str(service.parent / "shared"), str(service.parent)])
        self._process = subprocess.Popen(
            [sys.executable, str(OTHER_PROCESS)],
            env=os.environ | {"PYTHONPATH": path, "DB_NAME": connection.settings_dict["NAME"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(json.dumps([list(send) for send in sends]))
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def go(self) -> None:
        self._tell("go")

    def outcomes(self) -> list[list[Any]]:
        out, _ = self._process.communicate(timeout=30)
        return json.loads(out)


class TestNumbers:
    def test_are_dense_under_eight_threads(self, sender: Sender) -> None:
        people = new_people(8)
        rooms = [new_room(people) for _ in range(3)]

        def send_all(person: str) -> None:
            for n in range(60):
                sender.sent(rooms[n % 3], person, f"{person}:{n}")

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(send_all, people))
        for room_id in rooms:
            assert len(assert_dense(room_id)) == 160

    def test_are_dense_from_two_processes(self, sender: Sender) -> None:
        people = new_people(2)
        rooms = [new_room(people) for _ in range(4)]
        sends = [(rooms[n % 4], people[1], f"b{n}", uuid.uuid4().hex) for n in range(400)]
        other = Other(sends)
        other.go()
        answers = []
        for n in range(400):
            answers.append(sender.send(rooms[n % 4], people[0], f"a{n}"))
            time.sleep(0.001)
        outcomes = other.outcomes()
        assert {code(answer.result(10)) for answer in answers} == {"sent"}
        assert {outcome[0] for outcome in outcomes} == {"sent"}
        for room_id in rooms:
            rows = assert_dense(room_id)
            for number, person in enumerate(people):
                mine = [row.content for row in rows if row.sender_id == person]
                assert mine == sorted(mine, key=lambda text: int(text[1:])), number
                assert len(mine) == 100

    def test_keep_the_order_of_each_caller(self, sender: Sender) -> None:
        people = new_people(4)
        room_id = new_room(people)

        def send_all(person: str) -> None:
            for n in range(200):
                sender.send(room_id, person, str(n))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(send_all, people))
        assert {code(answer.result(10)) for answer in sender.answers} == {"sent"}
        rows = assert_dense(room_id)
        for person in people:
            mine = [row.content for row in rows if row.sender_id == person]
            assert mine == [str(n) for n in range(200)]

    def test_stand_as_they_are_stored_in_the_answer(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        sent = sender.sent(room, people[0], "hello", client_id=uuid.uuid4().hex)
        (row,) = assert_dense(room)
        shown = json.loads(sent.text)
        assert (shown["seq"], shown["pos"], shown["created_pos"]) == (1, 1, 1)
        assert (shown["content"], shown["client_id"]) == (row.content, row.client_id)
        assert sent.row.timestamp == row.timestamp
        assert Room.objects.get(pk=room).last_activity == row.timestamp


class TestTimestamps:
    def test_never_run_against_seq_when_the_clock_steps_back(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rooms SET last_activity = now() + interval '1 hour' WHERE id = %s", [room]
            )
        ahead = Room.objects.get(pk=room).last_activity
        for n in range(3):
            sender.sent(room, people[0], str(n))
        assert [row.timestamp for row in assert_dense(room)] == [ahead] * 3

    def test_are_taken_under_the_lock(
        self, sender: Sender, room: int, people: list[str], hold: Callable[..., Any]
    ) -> None:
        holder = hold(room)
        answer = sender.send(room, people[0], "waits")
        time.sleep(0.4)
        with holder.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (released,) = cursor.fetchone()
        holder.commit()
        outcome = answer.result(5)
        assert isinstance(outcome, Sent)
        assert outcome.row.timestamp > released


class TestRepeats:
    def test_give_the_first_message(self, sender: Sender, room: int, people: list[str]) -> None:
        first = sender.sent(room, people[0], "once", client_id=(id_ := uuid.uuid4().hex))
        again = sender.sent(room, people[0], "once", client_id=id_)
        assert (first.duplicate, again.duplicate) == (False, True)
        assert again.row == first.row
        assert len(assert_dense(room)) == 1

    def test_are_refused_with_other_content(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        sender.sent(room, people[0], "once", client_id=(id_ := uuid.uuid4().hex))
        other = sender.send(room, people[0], "other", client_id=id_).result(5)
        assert code(other) == "client_id_reused"
        assert [row.content for row in assert_dense(room)] == ["once"]

    def test_of_somebody_else_are_messages_of_their_own(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        id_ = uuid.uuid4().hex
        for person in people:
            assert not sender.sent(room, person, "same", client_id=id_).duplicate
        assert len(assert_dense(room)) == 2

    def test_are_found_within_one_batch(
        self, sender: Sender, room: int, people: list[str], hold: Callable[..., Any]
    ) -> None:
        holder = hold(room)
        id_ = uuid.uuid4().hex
        sender.send(room, people[0], "x")
        time.sleep(0.2)  # From here on they wait behind the first one, and become one batch.
        answers = [
            sender.send(room, people[0], content, client_id=id_)
            for content in ("same", "same", "other", "same")
        ]
        holder.commit()
        outcomes = [answer.result(5) for answer in answers]
        assert [code(outcome) for outcome in outcomes] == [
            "sent",
            "sent",
            "client_id_reused",
            "sent",
        ]
        sent = [outcome for outcome in outcomes if isinstance(outcome, Sent)]
        assert [each.duplicate for each in sent] == [False, True, True]
        assert len({each.row.id for each in sent}) == 1
        assert [row.content for row in assert_dense(room)] == ["x", "same"]

    def test_from_two_processes_at_once_are_stored_once(self, sender: Sender) -> None:
        people = new_people(1)
        rooms = [new_room(people) for _ in range(20)]
        sends = [(room, people[0], "same", f"{room}-{n}") for n in range(10) for room in rooms]
        other = Other(sends)
        other.go()
        time.sleep(0.01)
        answers = [sender.send(r, p, content, client_id=c) for r, p, content, c in sends]
        theirs = other.outcomes()
        for answer, their in zip(answers, theirs, strict=True):
            outcome = answer.result(10)
            assert isinstance(outcome, Sent)
            assert their[0] == "sent"
            assert outcome.row.seq == their[1]
            assert outcome.duplicate != their[2]
        for room in rooms:
            assert len(assert_dense(room)) == 10

    def test_in_two_rooms_at_once_are_stored_once(self, sender: Sender) -> None:
        """Neither room's lock orders the two: the unique key does."""
        people = new_people(1)
        pairs = [(new_room(people), new_room(people)) for _ in range(10)]
        ids = [uuid.uuid4().hex for _ in range(100)]
        here = [(pairs[n % 10][0], people[0], "same", id_) for n, id_ in enumerate(ids)]
        there = [(pairs[n % 10][1], people[0], "same", id_) for n, id_ in enumerate(ids)]
        other = Other(there)
        other.go()
        answers = []
        for room, person, content, id_ in here:
            answers.append(sender.send(room, person, content, client_id=id_))
            time.sleep(0.0005)
        theirs = other.outcomes()
        for answer, their in zip(answers, theirs, strict=True):
            mine = code(answer.result(10))
            assert sorted([mine, their[0]]) == ["client_id_reused", "sent"]
        assert sum(len(assert_dense(room)) for pair in pairs for room in pair) == len(ids)

    @pytest.mark.parametrize("ends", ["commit", "rollback"])
    def test_that_another_process_has_not_committed_yet_wait_for_it(
        self, sender: Sender, people: list[str], hold: Callable[..., Any], ends: str
    ) -> None:
        """Its row cannot be seen, but stands in the way of the unique key."""
        here, there = new_room(people), new_room(people)
        id_ = uuid.uuid4().hex
        other = hold(there)
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO messages (room_id, seq, pos, created_pos, sender_id, client_id,"
                " request_hash, message_type, content, timestamp)"
                " VALUES (%s, 1, 1, 1, %s, %s, '', 'text', 'x', now())",
                [there, people[0], id_],
            )
            cursor.execute("UPDATE rooms SET seq = 1, pos = 1 WHERE id = %s", [there])
        answer = sender.send(here, people[0], "x", client_id=id_)
        time.sleep(0.2)
        assert not answer.done()
        getattr(other, ends)()
        expected = "client_id_reused" if ends == "commit" else "sent"
        assert code(answer.result(5)) == expected
        assert len(assert_dense(here)) + len(assert_dense(there)) == 1


class TestRefusals:
    def test_leave_no_row_and_no_hole(self, sender: Sender, room: int, people: list[str]) -> None:
        (stranger,) = new_people(1)
        senders = [people[0], stranger, people[1], "nobody", people[0]]
        answers = [sender.send(room, person, str(n)) for n, person in enumerate(senders)]
        assert [code(answer.result(5)) for answer in answers] == [
            "sent",
            "not_found",
            "sent",
            "not_found",
            "sent",
        ]
        assert [row.content for row in assert_dense(room)] == ["0", "2", "4"]

    @pytest.mark.parametrize("room_id", [0, -1, 2**62, 2**63 - 1])
    def test_of_a_room_that_is_not_there_look_like_any(
        self, sender: Sender, people: list[str], room_id: int
    ) -> None:
        assert code(sender.send(room_id, people[0], "x").result(5)) == "not_found"

    def test_leave_the_markers(self, sender: Sender, room: int, people: list[str]) -> None:
        Member.objects.filter(room_id=room, user_id=people[0]).update(left_pos=0)
        assert code(sender.send(room, people[0], "x").result(5)) == "not_found"
        assert counters(room) == (0, 0)
        assert not stored(room)
        assert Member.objects.get(room_id=room, user_id=people[0]).last_read_seq == 0


class TestARemovedMember:
    """Rule 20, for what is sent."""

    def test_is_not_heard_though_his_sends_were_waiting(
        self, sender: Sender, room: int, people: list[str], hold: Callable[..., Any]
    ) -> None:
        alice, bob = people
        sender.sent(room, alice, "before")
        holder = hold(room)
        answers = [sender.send(room, alice, f"late {n}") for n in range(200)]
        kept = sender.send(room, bob, "still here")
        time.sleep(0.3)
        with holder.cursor() as cursor:
            cursor.execute(
                "UPDATE members SET left_pos = 2 WHERE room_id = %s AND user_id = %s", [room, alice]
            )
            cursor.execute("UPDATE rooms SET pos = 2 WHERE id = %s", [room])
        holder.commit()
        assert {code(answer.result(10)) for answer in answers} == {"not_found"}
        outcome = kept.result(10)
        assert isinstance(outcome, Sent)
        assert (outcome.row.seq, outcome.row.pos) == (2, 3)
        assert [row.content for row in stored(room)] == ["before", "still here"]

    def test_is_not_heard_after_the_moment_of_removal(self, sender: Sender) -> None:
        """Sends all the time; what has a later place than the removal must not be there."""
        people = new_people(2)
        room = new_room(people)
        stop = threading.Event()

        def keep_sending() -> None:
            while not stop.is_set():
                sender.send(room, people[0], "x")
                time.sleep(0.0005)

        thread = threading.Thread(target=keep_sending)
        thread.start()
        time.sleep(0.3)
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH moved AS (UPDATE rooms SET pos = pos + 1 WHERE id = %s RETURNING id, pos)"
                " UPDATE members SET left_pos = moved.pos FROM moved"
                " WHERE room_id = moved.id AND user_id = %s RETURNING left_pos",
                [room, people[0]],
            )
            (left_pos,) = cursor.fetchone()
        time.sleep(0.2)
        stop.set()
        thread.join()
        outcomes = [answer.result(5) for answer in sender.answers]
        rows = stored(room)
        assert rows
        assert max(row.pos for row in rows) < left_pos
        assert {code(outcome) for outcome in outcomes[len(rows) :]} == {"not_found"}
        assert outcomes[len(rows) :]


class TestTheReadMarker:
    def marker(self, room: int, person: str) -> int:
        return Member.objects.get(room_id=room, user_id=person).last_read_seq

    def test_moves_with_ones_own_message_if_nothing_was_unread(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        alice, bob = people
        sender.sent(room, alice, "1")
        sender.sent(room, alice, "2")
        assert (self.marker(room, alice), self.marker(room, bob)) == (2, 0)

    def test_stays_if_something_was_unread(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        alice, bob = people
        sender.sent(room, alice, "1")
        sender.sent(room, bob, "2")
        sender.sent(room, alice, "3")
        assert (self.marker(room, alice), self.marker(room, bob)) == (1, 0)

    def test_follows_the_same_rule_within_one_batch(
        self, sender: Sender, room: int, people: list[str], hold: Callable[..., Any]
    ) -> None:
        alice, bob = people
        holder = hold(room)
        answers = [sender.send(room, who, "x") for who in (alice, alice, bob, alice, bob)]
        time.sleep(0.2)
        holder.commit()
        assert {code(answer.result(5)) for answer in answers} == {"sent"}
        assert (self.marker(room, alice), self.marker(room, bob)) == (2, 0)


class TestABadSend:
    @pytest.fixture
    def _no_swearing(self):
        """Postgres itself refuses some rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE messages ADD CONSTRAINT no_swearing CHECK (content <> 'damn')"
            )
        yield
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE messages DROP CONSTRAINT no_swearing")

    @pytest.mark.usefixtures("_no_swearing")
    def test_is_refused_alone(
        self, sender: Sender, people: list[str], hold: Callable[..., Any]
    ) -> None:
        rooms = [new_room(people) for _ in range(2)]
        holder = hold(*rooms)
        contents = [str(n) for n in range(50)]
        contents[13] = contents[31] = "damn"
        answers = [sender.send(rooms[n % 2], people[0], text) for n, text in enumerate(contents)]
        time.sleep(0.3)
        holder.commit()
        codes = [code(answer.result(10)) for answer in answers]
        assert [n for n, each in enumerate(codes) if each != "sent"] == [13, 31]
        assert {codes[13], codes[31]} == {"unavailable"}
        for parity, room in enumerate(rooms):
            kept = [t for n, t in enumerate(contents) if n % 2 == parity and t != "damn"]
            assert [row.content for row in assert_dense(room)] == kept

    @pytest.mark.usefixtures("_no_swearing")
    def test_does_not_change_the_order_when_its_neighbours_room_is_held_for_a_moment(
        self,
        sender: Sender,
        people: list[str],
        hold: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Halving must not let the second half of a room's sends overtake the first."""
        # How long a send may wait is not what this is about.
        monkeypatch.setattr(sys.modules[Writer.__module__], "LONGEST_WAIT_SECONDS", 60)
        quiet, busy = new_room(people), new_room(people)
        stop = threading.Event()

        def flicker() -> None:
            while not stop.is_set():
                link = hold(busy)
                time.sleep(0.0005)
                link.commit()
                link.close()

        thread = threading.Thread(target=flicker)
        thread.start()
        try:
            for round_ in range(40):
                for n in range(30):
                    sender.send(busy, people[0], str(round_ * 30 + n))
                    sender.send(quiet, people[0], "damn" if n % 7 == 0 else "x")
                time.sleep(0.01)
            for answer in sender.answers:
                answer.result(20)
        finally:
            stop.set()
            thread.join()
        mine = [int(row.content) for row in assert_dense(busy)]
        assert mine == sorted(mine)
        assert len(mine) == 1200


class TestStop:
    def test_stores_what_waits(self, people: list[str]) -> None:
        room = new_room(people)
        writer = Writer()
        sender = Sender(writer)
        answers = [sender.send(room, people[0], str(n)) for n in range(500)]
        writer.stop()
        assert {code(answer.result(0)) for answer in answers} == {"sent"}
        assert len(assert_dense(room)) == 500

    def test_stores_what_waits_for_a_held_room(
        self, people: list[str], hold: Callable[..., Any]
    ) -> None:
        room = new_room(people)
        writer = Writer()
        sender = Sender(writer)
        holder = hold(room)
        answers = [sender.send(room, people[0], str(n)) for n in range(10)]
        time.sleep(0.2)
        threading.Timer(0.3, holder.commit).start()
        writer.stop()
        assert {code(answer.result(0)) for answer in answers} == {"sent"}

    def test_refuses_what_comes_later(self, writer: Writer, room: int, people: list[str]) -> None:
        sender = Sender(writer)
        sender.sent(room, people[0], "x")
        writer.stop()
        assert code(sender.send(room, people[0], "y").result(0)) == "unavailable"
        assert len(stored(room)) == 1

    def test_needs_no_start(self) -> None:
        Writer().stop()


class TestAProcess:
    def test_may_fork_before_the_first_send(self, room: int, people: list[str]) -> None:
        self.assert_child_sends(Writer(), room, people)

    def test_may_fork_after_a_send(self, room: int, people: list[str]) -> None:
        from messaging.actions.messages import send_message
        from messaging.serializers.messages import new_message

        def send(content: str) -> None:
            message = new_message({"content": content}, room_id=room)
            send_message(sender_id=people[0], room_id=room, message=message)

        send("parent")
        self.assert_child_runs(lambda: send("child"))
        send("parent again")
        assert [row.content for row in assert_dense(room)] == ["parent", "child", "parent again"]

    def assert_child_sends(self, writer: Writer, room: int, people: list[str]) -> None:
        self.assert_child_runs(lambda: Sender(writer).sent(room, people[0], "child"))
        Sender(writer).sent(room, people[0], "parent")
        writer.stop()
        assert [row.content for row in assert_dense(room)] == ["child", "parent"]

    def assert_child_runs(self, work: Callable[[], object]) -> None:
        child = os.fork()
        if child == 0:
            try:
                work()
            except BaseException:  # noqa: BLE001 - the child must end here, whatever happens.
                os._exit(1)
            os._exit(0)
        deadline = time.monotonic() + 8
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, 9)
                ended = os.waitpid(child, 0)
                break
            time.sleep(0.02)
        assert ended[1] == 0


class TestABug:
    def test_in_whoever_is_answered_does_not_end_the_writer(
        self, sender: Sender, writer: Writer, room: int, people: list[str]
    ) -> None:
        from messaging.actions.writer import Send
        from messaging.serializers.messages import new_message

        def explode(outcome: object) -> None:
            raise RuntimeError("the loop is closed")

        message = new_message({"content": "boom"}, room_id=room)
        writer.submit(Send(room_id=room, sender_id=people[0], message=message, settle=explode))
        sender.sent(room, people[1], "after")
        assert [row.content for row in assert_dense(room)] == ["boom", "after"]
