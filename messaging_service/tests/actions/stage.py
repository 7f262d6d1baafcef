"""People, rooms and what is stored of them, for tests of the writer on a real Postgres."""

import itertools
import os
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import psycopg2
from django.db import connection

from messaging.actions.writer import Outcome, Send, Sent, Writer
from messaging.models import Member, Profile, Room
from messaging.serializers.messages import new_message
from service_kit.refusals import Refusal

_numbers = itertools.count(1)
_run = uuid.uuid4().hex[:8]


def new_people(count: int) -> list[str]:
    ids = [f"{_run}-{next(_numbers)}" for _ in range(count)]
    Profile.objects.bulk_create([Profile(user_id=id_, username=f"user-{id_}") for id_ in ids])
    return ids


def new_room(people: list[str]) -> int:
    room = Room.objects.create(room_type="group", created_by_id=people[0])
    Member.objects.bulk_create([Member(room=room, user_id=id_) for id_ in people])
    return room.pk


class Stored(NamedTuple):
    seq: int
    pos: int
    created_pos: int
    sender_id: str
    client_id: str
    content: str
    timestamp: datetime


def stored(room_id: int) -> list[Stored]:
    """What the room's history holds, in the order of `seq`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, pos, created_pos, sender_id, client_id, content, timestamp"
            " FROM messages WHERE room_id = %s ORDER BY seq",
            [room_id],
        )
        return [Stored(*row) for row in cursor.fetchall()]


def counters(room_id: int) -> tuple[int, int]:
    room = Room.objects.get(pk=room_id)
    return room.seq, room.pos


def assert_dense(room_id: int) -> list[Stored]:
    """Promise P3, and what of P4 a room's rows can show."""
    rows = stored(room_id)
    numbers = list(range(1, len(rows) + 1))
    assert [row.seq for row in rows] == numbers
    assert [row.pos for row in rows] == numbers
    assert [row.created_pos for row in rows] == numbers
    assert counters(room_id) == (len(rows), len(rows))
    times = [row.timestamp for row in rows]
    assert times == sorted(times)
    return rows


def code(outcome: Outcome) -> str:
    return outcome.code if isinstance(outcome, Refusal) else "sent"


@dataclass
class Sender:
    """Sends through a writer and keeps what it answered."""

    writer: Writer
    answers: list[Future[Outcome]] = field(default_factory=list)

    def send(
        self, room_id: int, sender_id: str, content: str, *, client_id: str | None = None
    ) -> Future[Outcome]:
        given = {"content": content} | ({"client_id": client_id} if client_id else {})
        answer: Future[Outcome] = Future()
        self.writer.submit(
            Send(
                room_id=room_id,
                sender_id=sender_id,
                message=new_message(given, room_id=room_id),
                settle=answer.set_result,
            )
        )
        self.answers.append(answer)
        return answer

    def sent(self, room_id: int, sender_id: str, content: str, **more: Any) -> Sent:
        outcome = self.send(room_id, sender_id, content, **more).result(10)
        assert isinstance(outcome, Sent), outcome
        return outcome


def new_link() -> Any:
    """Another client's connection, straight to Postgres, which has to say COMMIT itself."""
    return psycopg2.connect(
        host=os.environ["DB_HOST"],
        port=os.environ["DB_PORT"],
        dbname=connection.settings_dict["NAME"],
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
    )
