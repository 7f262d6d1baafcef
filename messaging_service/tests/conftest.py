"""Real engines, real tokens, people and rooms made by actions, and both doors.

Nothing is rolled back between tests, because the writer commits on a connection of its own: every
test makes people of its own instead. So no test needs the mark `django_db`.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import django
import pytest
from django.test.utils import setup_databases
from pytest_django import DjangoDbBlocker

from local.testing import provide_engines

NO_LIMITS = (
    "LIMIT_MESSAGES_PER_SECOND",
    "LIMIT_MESSAGE_BURST",
    "LIMIT_COMMANDS_PER_SECOND",
    "LIMIT_COMMAND_BURST",
    "LIMIT_SOCKETS_PER_USER",
    "LIMIT_CONTACT_REQUESTS_PER_HOUR",
)
SERVICE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SERVICE))
provide_engines()
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": secrets.token_hex(32),
    "INTERNAL_SECRET": secrets.token_hex(32),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    # The throw-away Postgres does not wait for the disk.
    "POSTGRES_MANAGED": "true",
    # Nobody listens on the discard port: whoever is never seen cannot be asked for.
    "AUTH_API_URL": "http://127.0.0.1:9",
    "JWT_ALGORITHM": "EdDSA",
    "JWT_SECRET": "",
    "JWT_PUBLIC_KEY": "",
    "JWKS_CACHE_FILE": "",
    "DEBUG": "false",
    "LOG_LEVEL": "INFO",
    # Servers of the tests end at once: but for test_restarting.py.
    "LEAVING_SECONDS": "0",
    # What is limited by default is tested by servers of its own: see test_limits.py.
    **dict.fromkeys(NO_LIMITS, "1000000"),
}
django.setup()

from django.db import connections  # noqa: E402 - Django must be set up first.

from messaging.actions.profiles import know_person, remember_caller  # noqa: E402
from messaging.actions.rooms import open_direct_room  # noqa: E402
from messaging.actions.writer import writer  # noqa: E402
from messaging.broadcast import publisher, unseal  # noqa: E402
from messaging.events import room_channel  # noqa: E402
from messaging_service.tests.doors import DOORS, Door, SocketDoor  # noqa: E402
from messaging_service.tests.people import Api, Person  # noqa: E402
from messaging_service.tests.servers import (  # noqa: E402
    SOCKET_SERVER,
    AuthService,
    Server,
    start_auth_service,
    start_servers,
)
from messaging_service.tests.sockets import Socket  # noqa: E402
from messaging_service.tests.state import state_of  # noqa: E402
from messaging_service.tests.telling import listen  # noqa: E402
from service_kit.testing import install_test_keys, token_for  # noqa: E402
from service_kit.testing.http import read_refusal  # noqa: E402
from service_kit.testing.threads import at_once  # noqa: E402
from service_kit.tokens import verify  # noqa: E402

install_test_keys()
_ids = count(1000)


def pytest_addoption(parser: pytest.Parser) -> None:
    servers = {"choices": ["uvicorn", "daphne"], "default": "uvicorn"}
    parser.addoption("--socket-server", help="what serves the sockets", **servers)


def pytest_configure(config: pytest.Config) -> None:
    os.environ[SOCKET_SERVER] = config.getoption("--socket-server")
    config.addinivalue_line("markers", "not_under_daphne(reason): see docs/daphne.md")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ[SOCKET_SERVER] == "daphne":
        for item in items:
            if mark := item.get_closest_marker("not_under_daphne"):
                item.add_marker(pytest.mark.skip(reason=f"Daphne: {mark.args[0]}"))


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the test database, whatever marks the tests carry; it ends with its Postgres."""
    with django_db_blocker.unblock():
        setup_databases(verbosity=0, interactive=False)


@pytest.fixture(scope="session", autouse=True)
def _database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        writer().stop()
        publisher().stop()
        connections.close_all()


MakePerson = Callable[..., Person]
OpenRoom = Callable[[Person, Person], int]


@pytest.fixture(scope="session")
def make_person(_database: None) -> MakePerson:
    """Make somebody new; `known=False` leaves it to the test to let messaging know him."""

    def make(name: str = "somebody", *, known: bool = True) -> Person:
        user_id = str(next(_ids))
        username = f"{name}{user_id}"
        token = token_for(user_id, username=username, name=name.title())
        if known:
            remember_caller(claims=verify(token))
        return Person(user_id, username, token)

    return make


@pytest.fixture
def alice(make_person: MakePerson) -> Person:
    return make_person("alice")


@pytest.fixture
def bob(make_person: MakePerson) -> Person:
    return make_person("bob")


@pytest.fixture
def carol(make_person: MakePerson) -> Person:
    """Somebody who is in no room of the others."""
    return make_person("carol")


@pytest.fixture(scope="session")
def open_room(_database: None) -> OpenRoom:
    """Open the direct room of two people, and give back its id."""

    def make(caller: Person, other: Person) -> int:
        person = know_person(user_id=other.id)
        return open_direct_room(caller_id=caller.id, other=person).room.pk

    return make


@pytest.fixture
def room(open_room: OpenRoom, alice: Person, bob: Person) -> int:
    """The id of the direct room of alice and bob."""
    return open_room(alice, bob)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def refusal() -> Callable[..., dict[str, Any]]:
    return read_refusal


@pytest.fixture(scope="session")
def socket_servers(
    _database: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Two socket processes as `make run` starts them, on the test database."""
    with start_servers(tmp_path_factory.mktemp("servers"), sockets=2) as (one, two):
        yield one, two


@pytest.fixture(scope="session")
def socket_server(socket_servers: tuple[Server, Server]) -> Server:
    return socket_servers[0]


@pytest.fixture(scope="session")
def other_socket_server(socket_servers: tuple[Server, Server]) -> Server:
    return socket_servers[1]


@pytest.fixture(scope="session")
def auth_service(
    _database: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuthService]:
    """The real one; nobody asks it unless a test sets AUTH_API_URL to its url."""
    with start_auth_service(tmp_path_factory.mktemp("auth")) as running:
        yield running


Connect = Callable[..., Socket]


@pytest.fixture
def connect(socket_server: Server) -> Iterator[Connect]:
    """Open a room's socket as somebody; it is closed after the test. See Socket for the rest."""
    opened: list[Socket] = []

    def open_socket(person: Person, room_id: object, *, server: Server = socket_server) -> Socket:
        socket = Socket(f"{server.address}/ws/chat/{room_id}/?token={person.token}")
        opened.append(socket)
        return socket

    yield open_socket
    for socket in opened:
        socket.close()


@pytest.fixture
def enter(connect: Connect) -> Connect:
    """The same, when it is ready: from here on everything that happens is told to it."""

    def open_and_wait(person: Person, room_id: int, **where: Server) -> Socket:
        socket = connect(person, room_id, **where)
        socket.expect("ready")
        return socket

    return open_and_wait


@pytest.fixture(params=sorted(DOORS))
def door(request: pytest.FixtureRequest, api: Api, enter: Connect) -> Door:
    """Each way in, for what must not depend on the way."""
    return DOORS[request.param](api=api, enter=enter)


@pytest.fixture
def socket_door(api: Api, enter: Connect) -> SocketDoor:
    return SocketDoor(api=api, enter=enter)


Untouched = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def untouched(door: Door, enter: Connect, alice: Person, bob: Person, room: int) -> Untouched:
    """Assert that a block stores nothing and tells nobody in the room.

    What is told through the same door is told in order, so the next thing heard must be the
    message sent after the block.
    """

    @contextmanager
    def watch() -> Iterator[None]:
        before, hearing = state_of(room), enter(bob, room)
        with listen(room_channel(room)) as told:
            yield
            assert state_of(room) == before
            after = door.send(alice, room, content="after that").message
            assert after["seq"] == before.counters[0] + 1
            heard = hearing.next()
            assert (heard["type"], heard["id"]) == ("message", after["id"])
            # A hub drops what is told twice, so Redis is asked as well.
            assert unseal(told()).pos == after["pos"]

    return watch


@pytest.fixture
def together() -> Callable[[int, Callable[[int], Any]], list[Any]]:
    return at_once
