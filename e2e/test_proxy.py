"""What the faults of the proxy look like to a client and to the server behind it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from e2e.proxy import Loss, Proxy
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator


class Echo:
    """A server that says again what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with suppress(OSError), link:
            while data := link.recv(65_536):
                self.heard.append(data)
                link.sendall(data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as echo:
        yield echo


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with closing(Proxy(echo.port)) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connected(proxy) as client:
        yield client


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), timeout=5)


def ask(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(65_536)


def ask_anew(proxy: Proxy, data: bytes) -> bytes:
    with connected(proxy) as client:
        return ask(client, data)


class TestProxy:
    def test_lets_everything_through(self, client: socket.socket) -> None:
        client.settimeout(10)
        large = bytes(range(256)) * 4_000
        threading.Thread(target=client.sendall, args=(large,), daemon=True).start()
        heard = b""
        while len(heard) < len(large):
            heard += client.recv(65_536)
        assert heard == large

    def test_tells_each_side_that_the_other_is_done(self, client: socket.socket) -> None:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""

    def test_holds_data_back(self, proxy: Proxy, client: socket.socket) -> None:
        proxy.latency = 0.1
        began = time.monotonic()
        assert ask(client, b"late") == b"late"
        assert time.monotonic() - began >= 0.2

    def test_loses_nothing_in_a_blackhole_that_ends(
        self, proxy: Proxy, echo: Echo, client: socket.socket
    ) -> None:
        assert ask(client, b"before") == b"before"
        proxy.blackhole()
        client.settimeout(0.3)
        with connected(proxy) as later:
            for each in (client, later):
                each.sendall(b"meanwhile")
            with pytest.raises(TimeoutError):
                client.recv(1)
            assert echo.heard == [b"before"]
            proxy.heal()
            assert [each.recv(100) for each in (client, later)] == [b"meanwhile"] * 2

    def test_resets(self, proxy: Proxy, client: socket.socket) -> None:
        assert ask(client, b"before") == b"before"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            ask(client, b"after")
        assert ask_anew(proxy, b"after") == b"after"

    def test_refuses(self, proxy: Proxy) -> None:
        proxy.refuses = True
        with pytest.raises(ConnectionResetError):
            ask_anew(proxy, b"Hello")

    @pytest.mark.parametrize(("loss", "heard"), [("request", []), ("reply", [b"COMMIT"])])
    def test_loses_a_request_or_its_answer(
        self, proxy: Proxy, echo: Echo, client: socket.socket, loss: Loss, heard: list[Any]
    ) -> None:
        proxy.lose_next, proxy.refuse_after_loss = loss, True
        assert ask(client, b"BEGIN") == b"BEGIN"
        with pytest.raises(ConnectionResetError):
            ask(client, b"COMMIT")
        with pytest.raises(ConnectionResetError):
            ask_anew(proxy, b"COMMIT")
        assert (proxy.losses, echo.heard) == (1, [b"BEGIN", *heard])
        proxy.heal()
        assert ask_anew(proxy, b"COMMIT") == b"COMMIT"
