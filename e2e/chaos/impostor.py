"""A server where auth_service should be, that answers nonsense when it is asked for keys."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

JWKS = "/.well-known/jwks.json"
LURE = "/elsewhere"
NONSENSE = (b"", b"garbage", b"[]", b'{"keys": []}', b'{"keys": [{"kid": "a", "kty": "OKP"}]}')
HANG_SECONDS = 5.0


class Impostor:
    """Answers in a way of its own each time; `asked` says for what it was asked, and when."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str]] = []
        self.address = ""
        self._bodies = itertools.cycle(NONSENSE)
        self._ways = itertools.cycle([self._redirect, self._lie, self._hang])

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((time.monotonic(), request.path))
        with suppress(OSError):
            next(self._ways)(request)

    def _redirect(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", f"{self.address}{LURE}")
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _lie(self, request: BaseHTTPRequestHandler) -> None:
        body = next(self._bodies)
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    @staticmethod
    def _hang(_: BaseHTTPRequestHandler) -> None:
        time.sleep(HANG_SECONDS)


@contextmanager
def impostor() -> Iterator[Impostor]:
    """Run one on a free port."""
    it = Impostor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.answer(self)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server((LOOPBACK, 0), Handler) as server:
        it.address = f"http://{LOOPBACK}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()
