"""A writer of the test's own on the real Postgres, and rooms to send to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from e2e.proxy import Proxy
from messaging.actions.writer import Writer
from messaging_service.tests.actions.stage import Sender, new_link, new_people, new_room


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer()
    yield made
    made.stop()


@pytest.fixture
def sender(writer: Writer) -> Sender:
    return Sender(writer)


@pytest.fixture
def people() -> list[str]:
    return new_people(2)


@pytest.fixture
def room(people: list[str]) -> int:
    return new_room(people)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Every new connection of this process to Postgres goes through the proxy."""
    settings = connections.settings["default"]
    host, port = settings["HOST"], settings["PORT"]
    made = Proxy(int(port), host=host)
    settings["HOST"], settings["PORT"] = "127.0.0.1", str(made.port)
    yield made
    settings["HOST"], settings["PORT"] = host, port
    made.close()


Holder = Callable[..., Any]


@pytest.fixture
def hold() -> Iterator[Holder]:
    """Hold rooms' locks in a transaction of somebody else; commit or close what it returns."""
    links = []

    def held(*room_ids: int) -> Any:
        link = new_link()
        links.append(link)
        with link.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM rooms WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(room_ids)]
            )
        return link

    yield held
    for link in links:
        link.close()
