"""Postgres failing at the worst moment: no false ack, no false refusal, and an answer in time."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest
from django.db import connection

from e2e.proxy import Proxy
from messaging.actions.writer import Outcome, Send, Sent, Writer, committer
from messaging.actions.writer.connection import connect
from messaging.serializers.messages import new_message
from messaging_service.tests.actions.stage import Sender, assert_dense, code, new_room, stored
from messaging_service.tests.engines import frozen_postgres

PATIENCE = 5.0


def backends() -> list[int]:
    """The connections of writers, by what they said last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query ~ 'COMMIT|EXECUTE'"
        )
        return [pid for (pid,) in cursor.fetchall()]


class TestALostConnection:
    def test_before_commit_stores_nothing(
        self, proxy: Proxy, sender: Sender, room: int, people: list[str]
    ) -> None:
        """The request is settled by sending it again, which finds nothing and stores it."""
        sender.sent(room, people[0], "before")
        proxy.lose_next = "request"
        outcome = sender.send(room, people[0], "lost", client_id=(id_ := uuid.uuid4().hex)).result(
            8
        )
        assert proxy.losses == 1
        assert code(outcome) in {"sent", "unavailable"}
        assert isinstance(outcome, Sent) == (len(stored(room)) == 2)
        again = sender.sent(room, people[0], "lost", client_id=id_)
        assert again.duplicate == isinstance(outcome, Sent)
        assert [row.content for row in assert_dense(room)] == ["before", "lost"]

    def test_after_commit_is_settled_as_stored(
        self, proxy: Proxy, sender: Sender, room: int, people: list[str]
    ) -> None:
        sender.sent(room, people[0], "before")
        proxy.lose_next = "reply"
        outcome = sender.send(room, people[0], "kept").result(8)
        assert proxy.losses == 1
        assert isinstance(outcome, Sent)
        assert not outcome.duplicate
        rows = assert_dense(room)
        assert [row.content for row in rows] == ["before", "kept"]
        assert (outcome.row.seq, outcome.row.timestamp) == (2, rows[1].timestamp)

    def test_keeps_apart_what_was_new_and_what_was_repeated(
        self,
        proxy: Proxy,
        sender: Sender,
        room: int,
        people: list[str],
        hold: Callable[..., Any],
    ) -> None:
        old, new = uuid.uuid4().hex, uuid.uuid4().hex
        sender.sent(room, people[0], "old", client_id=old)
        holder = hold(room)
        answers = [
            sender.send(room, people[0], "old", client_id=old),
            sender.send(room, people[0], "new", client_id=new),
            sender.send(room, people[0], "new", client_id=new),
            sender.send(room, "nobody", "x"),
        ]
        time.sleep(0.2)
        proxy.lose_next = "reply"
        holder.commit()
        outcomes = [answer.result(8) for answer in answers]
        assert proxy.losses == 1
        shown = [o.duplicate if isinstance(o, Sent) else o.code for o in outcomes]
        assert shown == [True, False, True, "not_found"]
        assert [row.content for row in assert_dense(room)] == ["old", "new"]

    @pytest.mark.parametrize("loss", ["request", "reply"])
    def test_that_cannot_be_settled_is_unknown(
        self, proxy: Proxy, sender: Sender, room: int, people: list[str], loss: Any
    ) -> None:
        sender.sent(room, people[0], "before")
        proxy.lose_next, proxy.refuse_after_loss = loss, True
        start = time.monotonic()
        answer = sender.send(room, people[0], "x", client_id=(id_ := uuid.uuid4().hex))
        assert code(answer.result(8)) == "outcome_unknown"
        assert time.monotonic() - start < PATIENCE
        proxy.refuses = False
        again = sender.sent(room, people[0], "x", client_id=id_)
        assert again.duplicate == (loss == "reply")
        assert [row.content for row in assert_dense(room)] == ["before", "x"]

    def test_is_no_refusal_for_who_was_removed_after_he_was_stored(
        self, proxy: Proxy, sender: Sender, room: int, people: list[str]
    ) -> None:
        """Stored, then removed, then asked again: to say `not_found` would be a lie."""
        sender.sent(room, people[0], "before")
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION leave_too() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " UPDATE members SET left_pos = NEW.pos WHERE room_id = NEW.room_id"
                " AND user_id = NEW.sender_id; RETURN NULL; END $$;"
                "CREATE TRIGGER leave_too AFTER INSERT ON messages FOR EACH ROW"
                " EXECUTE FUNCTION leave_too()"
            )
        try:
            proxy.lose_next = "reply"
            outcome = sender.send(room, people[0], "goodbye").result(8)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP FUNCTION leave_too CASCADE")
        assert [row.content for row in stored(room)] == ["before", "goodbye"]
        assert code(outcome) in {"sent", "outcome_unknown"}

    def test_by_a_mistake_of_ours_during_commit_is_unknown(
        self, monkeypatch: pytest.MonkeyPatch, sender: Sender, room: int, people: list[str]
    ) -> None:
        """Answers are made while Postgres commits: it may or may not have been stored."""
        sender.sent(room, people[0], "before")

        def fail(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr(committer, "outcomes_of", fail)
        answer = sender.send(room, people[0], "x", client_id=(id_ := uuid.uuid4().hex))
        assert code(answer.result(8)) == "outcome_unknown"
        monkeypatch.undo()
        sender.sent(room, people[0], "x", client_id=id_)
        assert [row.content for row in assert_dense(room)] == ["before", "x"]

    def test_between_two_sends_costs_nobody_anything(
        self, proxy: Proxy, sender: Sender, room: int, people: list[str]
    ) -> None:
        sender.sent(room, people[0], "before")
        proxy.reset()
        time.sleep(0.1)
        outcome = sender.send(room, people[0], "x").result(8)
        assert code(outcome) == "sent"
        sender.sent(room, people[0], "after")
        assert [row.content for row in assert_dense(room)] == ["before", "x", "after"]

    def test_by_a_killed_backend_gives_only_true_answers(
        self, sender: Sender, people: list[str]
    ) -> None:
        rooms = [new_room(people) for _ in range(3)]
        sender.sent(rooms[0], people[0], "warm")
        answers, killed = [], 0
        for n in range(1200):
            answers.append((rooms[n % 3], str(n), sender.send(rooms[n % 3], people[0], str(n))))
            time.sleep(0.0005)
            if n % 100 == 50:
                with connection.cursor() as cursor:
                    for pid in backends():
                        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
                        killed += 1
        outcomes = [(room, text, answer.result(10)) for room, text, answer in answers]
        kept = {(room, row.content) for room in rooms for row in assert_dense(room)}
        counts = {"sent": 0, "unavailable": 0, "outcome_unknown": 0}
        for room, text, outcome in outcomes:
            counts[code(outcome)] += 1
            if isinstance(outcome, Sent):
                assert (room, text) in kept
            elif outcome.code == "unavailable":
                assert (room, text) not in kept
        assert killed > 2
        # A connection that is lost as soon as it is made is not tried a third time.
        assert counts["sent"] > 1100


class TestAConnectionThatFailsEveryStatement:
    def test_is_not_kept(self, sender: Sender, room: int, people: list[str]) -> None:
        """Its plans are stale after a migration, for as long as it lives."""
        sender.sent(room, people[0], "before")
        alter = "ALTER TABLE profiles ALTER display_name TYPE varchar(%s)"
        with connection.cursor() as cursor:
            cursor.execute(alter, [200])
        try:
            assert code(sender.send(room, people[0], "x").result(8)) in {"sent", "unavailable"}
            sender.sent(room, people[0], "after")
        finally:
            with connection.cursor() as cursor:
                cursor.execute(alter, [128])

    def test_does_not_hold_rooms_while_its_process_is_frozen(self) -> None:
        with closing(connect()) as link, link.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("5s",)


class TestAFrozenPostgres:
    def test_is_answered_for_in_time(
        self, sender: Sender, writer: Writer, people: list[str]
    ) -> None:
        rooms = [new_room(people) for _ in range(5)]
        for room in rooms:
            sender.sent(room, people[0], "before")
        sent_at, settled_at = {}, {}
        answers = []
        with frozen_postgres():
            end = time.monotonic() + 6.5
            n = 0
            while time.monotonic() < end:
                for _ in range(20):
                    answer = sender.send(rooms[n % 5], people[n % 2], str(n))
                    sent_at[answer] = time.monotonic()
                    answer.add_done_callback(
                        lambda done: settled_at.__setitem__(done, time.monotonic())
                    )
                    answers.append((rooms[n % 5], str(n), answer))
                    n += 1
                time.sleep(0.02)
        for _, _, answer in answers:
            answer.result(10)
        worst = max(settled_at[answer] - sent_at[answer] for _, _, answer in answers)
        kept = {(room, row.content) for room in rooms for row in assert_dense(room)}
        for room, text, answer in answers:
            outcome = answer.result(0)
            assert code(outcome) in {"sent", "unavailable", "outcome_unknown"}
            if isinstance(outcome, Sent):
                assert (room, text) in kept
            elif outcome.code == "unavailable":
                assert (room, text) not in kept
        assert worst < PATIENCE
        start = time.monotonic()
        while code(sender.send(rooms[0], people[0], "after").result(8)) != "sent":
            assert time.monotonic() - start < PATIENCE


class TestABug:
    def test_refuses_nothing_that_may_be_stored(
        self, sender: Sender, writer: Writer, people: list[str], hold: Callable[..., Any]
    ) -> None:
        """Postgres refuses one send, and halving stores the first half; then something raises."""
        room = new_room(people)
        holder = hold(room)
        good = [sender.send(room, people[0], text) for text in ("good", "also good")]
        sender.send(room, "nul\0", "which Postgres refuses")
        broken: Future[Outcome] = Future()
        message = new_message({"content": "x"}, room_id=room)._replace(content="\ud800")
        writer.submit(
            Send(room_id=room, sender_id=people[0], message=message, settle=broken.set_result)
        )
        time.sleep(0.2)
        holder.commit()
        codes = [code(answer.result(8)) for answer in good]
        assert [row.content for row in stored(room)] == ["good", "also good"]
        assert set(codes) <= {"sent", "outcome_unknown"}
        assert code(broken.result(8)) == "outcome_unknown"
        sender.sent(room, people[0], "after")
