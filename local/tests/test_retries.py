"""What the gateway does with a request whose server goes away: never the same thing twice."""

from __future__ import annotations

import threading
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from local.ports import LOOPBACK, free_ports
from local.traefik import Traefik

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"content": "x"}'


class Breaking(ThreadingHTTPServer):
    """Is well, and ends the connection over which something is sent to it."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.received: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Breaking

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def servers() -> Iterator[list[Breaking]]:
    servers = [Breaking() for _ in range(3)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


def test_what_was_sent_is_not_sent_again(servers: list[Breaking], tmp_path: Path) -> None:
    urls = [server.url for server in servers]
    port, operators_port = free_ports(2)
    traefik = Traefik(
        home=tmp_path / "traefik",
        logs=tmp_path,
        port=port,
        operators_port=operators_port,
        auth_urls=urls,
        chat_urls=urls,
        sockets_urls=urls,
    )
    try:
        traefik.start()
        with closing(HTTPConnection(LOOPBACK, port, timeout=10)) as link:
            link.request("POST", "/api/chat/messages/", BODY, {"Host": "localhost"})
            assert link.getresponse().status == 502
    finally:
        traefik.stop()
    assert [each for server in servers for each in server.received] == [BODY]
