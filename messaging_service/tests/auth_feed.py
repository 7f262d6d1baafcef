"""A real HTTP server that tells events as auth_service does, and can misbehave."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 500


class AuthFeed:
    """What `tell` tells stands in `events`; `answer` is a body or an act of the handler, if set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: list[dict[str, Any]] = []
        self.page = PAGE
        self.asked: list[tuple[str, str | None]] = []
        self.answer: bytes | Callable[[BaseHTTPRequestHandler], None] | None = None
        self.released = threading.Event()

    def tell(self, kind: str, **data: object) -> None:
        at = datetime.now(UTC).isoformat()
        event = {"id": len(self.events) + 1, "type": kind, "at": at, "data": data}
        self.events.append(event)

    def end(self, user_id: str, *session_ids: str, seconds: float = 360) -> None:
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        self.tell("sessions.ended", user_id=user_id, sids=session_ids, until=until)

    def change(self, person: Any, **changed: object) -> None:
        shown = {"username": person.username, "display_name": "", "avatar": None, "active": True}
        self.tell("user.changed", user_id=person.id, **shown | changed)

    def page_after(self, number: int) -> bytes:
        later = [event for event in self.events if event["id"] > number]
        return as_page(later[: self.page], more=len(later) > self.page)

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        self.released.wait(20)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not self.released.wait(0.2):
            handler.wfile.write(b" ")

    def redirect(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{self.url}{handler.path}&elsewhere=1")
        handler.end_headers()

    def fail(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(500)


def as_page(events: Sequence[object], *, more: bool = False) -> bytes:
    return json.dumps({"events": events, "more": more}).encode()


@contextmanager
def auth_feed() -> Iterator[AuthFeed]:
    """Serve it until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.asked.append((self.path, self.headers["Authorization"]))
            if callable(feed.answer):
                feed.answer(self)
                return
            after = parse_qs(urlsplit(self.path).query)["after"][0]
            body = feed.page_after(int(after)) if feed.answer is None else feed.answer
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients that cut the line are what some tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        feed = AuthFeed(f"http://127.0.0.1:{http.server_port}")
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield feed
        finally:
            feed.released.set()
            http.shutdown()
