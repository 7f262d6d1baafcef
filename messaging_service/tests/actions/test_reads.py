"""Moving a marker where it takes long to count what is left, or cannot be counted."""

from collections.abc import Callable
from contextlib import closing

import pytest
from django.db import connection

from messaging.actions import reads
from messaging.actions.reads import mark_read
from messaging.events import room_channel, user_channel
from messaging.models import Member
from messaging_service.tests.actions.stage import Sender, new_link
from messaging_service.tests.telling import told_on

Counting = Callable[[Callable[[], dict[int, int]]], None]


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Let what is unread be counted so."""
    return lambda count: monkeypatch.setattr(reads, "unread_counts", lambda **_: count())


class TestMarkRead:
    @pytest.fixture(autouse=True)
    def _message(self, sender: Sender, room: int, people: list[str]) -> None:
        sender.sent(room, people[0], "x")

    def test_holds_nothing_while_it_counts(
        self, counting: Counting, room: int, people: list[str]
    ) -> None:
        def count() -> dict[int, int]:
            with closing(new_link()) as link, link.cursor() as cursor:
                for table in ("profiles", "members"):
                    cursor.execute(
                        f"SELECT FROM {table} WHERE user_id = %s FOR UPDATE NOWAIT", [people[1]]
                    )
            return {room: 7}

        counting(count)
        channel = user_channel(people[1])
        told = told_on(channel, lambda: mark_read(user_id=people[1], room_id=room, seq=1))
        assert [frame["type"] for _, frame in told] == ["me.changed", "unread"]
        assert told[1][1]["total"] == 7

    @pytest.mark.parametrize(
        ("channel_of", "kinds"), [("person", ["me.changed"]), ("room", ["read"])]
    )
    def test_moves_it_though_postgres_went_away_meanwhile(
        self, counting: Counting, room: int, people: list[str], channel_of: str, kinds: list[str]
    ) -> None:
        def leave() -> dict[int, int]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise AssertionError("it is still there")

        counting(leave)
        channel = user_channel(people[1]) if channel_of == "person" else room_channel(room)
        told = told_on(channel, lambda: mark_read(user_id=people[1], room_id=room, seq=1))
        assert [frame["type"] for _, frame in told] == kinds
        assert Member.objects.get(user_id=people[1]).last_read_seq == 1
