"""The writer's statements find each row by its key, however many there are beside it."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import connection

from messaging.actions.writer.connection import connect
from messaging_service.tests.actions.stage import new_people, new_room

MANY, PAIRS = 1_000, 100
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def crowd(_database: None) -> tuple[int, str]:
    """A room of many, and somebody in it; in most rooms there are two."""
    people = new_people(MANY)
    for each in people[:PAIRS]:
        new_room([each, people[-1]])
    room_id = new_room(people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members")
    return room_id, people[MANY // 2]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def passed_over(statement: str, *values: object) -> dict[str, int]:
    """How many rows were read in vain, by the index that led to them."""
    with closing(connect()) as link, link.cursor() as cursor:
        cursor.execute("BEGIN; EXECUTE lock_waiting('{}')")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {statement}", values)
        [(found,)] = cursor.fetchall()
        cursor.execute("ROLLBACK")
    nodes = list(nodes_of(found[0]["Plan"]))
    assert any(node.get("Relation Name") == "members" for node in nodes)
    return {
        str(node.get("Index Name")): node["Rows Removed by Filter"]
        for node in nodes
        if node.get("Rows Removed by Filter")
    }


def test_looking(crowd: tuple[int, str]) -> None:
    room_id, sender_id = crowd
    asked = [{"n": 0, "room_id": room_id, "sender_id": sender_id, "client_id": uuid.uuid4().hex}]
    assert passed_over("look(%s)", json.dumps(asked)) == {}


def test_writing(crowd: tuple[int, str]) -> None:
    room_id, sender_id = crowd
    counters = [{"id": room_id, "seq": 1, "pos": 1, "at": NOW}]
    markers = [{"room_id": room_id, "user_id": sender_id, "seq": 1}]
    rows = [
        {
            "id": 2**60,
            "room_id": room_id,
            "seq": 1,
            "pos": 1,
            "sender_id": sender_id,
            "client_id": uuid.uuid4().hex,
            "request_hash": "00" * 16,
            "message_type": "text",
            "content": "x",
            "at": NOW,
        }
    ]
    arguments = [json.dumps(part) for part in (counters, markers, rows)]
    assert passed_over("write(%s, %s, %s)", *arguments) == {}
