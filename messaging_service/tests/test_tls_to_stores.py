"""Whole processes that reach Postgres and Redis by TLS alone, set up as operations.md says."""

from collections.abc import Callable, Iterator

import pytest

from messaging_service.tests.people import Person
from messaging_service.tests.servers import Server, start_servers
from messaging_service.tests.sockets import Socket
from messaging_service.tests.tls_stores import TlsStores

Enter = Callable[..., Socket]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsStores]:
    stores = TlsStores(tmp_path_factory.mktemp("stores"))
    with stores.running():
        yield stores


@pytest.fixture(scope="module")
def servers(
    _database: None, stores: TlsStores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    folder = tmp_path_factory.mktemp("servers")
    with start_servers(folder, sockets=2, **stores.settings) as servers:
        yield servers


class TestTls:
    def test_carries_what_people_say(
        self,
        stores: TlsStores,
        servers: list[Server],
        enter: Enter,
        alice: Person,
        bob: Person,
        room: int,
    ) -> None:
        his, mine = (
            enter(person, room, server=server)
            for person, server in zip((bob, alice), servers, strict=True)
        )
        mine.ask({"type": "message", "content": "over TLS"})
        assert his.expect("message")["content"] == "over TLS"
        # For the writer's thread, and for another; to hear Redis, and to tell it.
        assert stores.counted["postgres"] >= 2 * len(servers)
        assert stores.counted["redis"] >= 2 * len(servers)
