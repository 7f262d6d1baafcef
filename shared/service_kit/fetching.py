"""Asking another server over HTTP, one that may do anything: bounded in time and in size."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

FETCH_SECONDS = 3.0
MAX_BYTES = 64 * 1024


class WrongStatusError(ValueError):
    """The other server answered with something else than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the answer was {status}")
        self.status = status


def fetch(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = FETCH_SECONDS,
    most: int = MAX_BYTES,
) -> bytes:
    """GET at most so many bytes within so many seconds in all, over http or https.

    Follows no redirects. Raises OSError, http.client.HTTPException or ValueError when anything is
    not as it should be.
    """
    connection = _connection(url, seconds)
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.connect()
        with _cut_after(connection, seconds):
            wanted = {"Accept": "application/json"} | dict(headers or {})
            connection.request("GET", path, headers=wanted)
            # A response that is not read to its end keeps the socket open by itself.
            with connection.getresponse() as response:
                return _body(response, most)
    finally:
        connection.close()


def _connection(url: str, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname or parts.username is not None:
        raise ValueError("only a plain http or https address may be fetched")
    kind: type[http.client.HTTPConnection] = kinds[parts.scheme]
    return kind(parts.hostname, parts.port, timeout=seconds)


@contextmanager
def _cut_after(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    # The socket's own time-out starts again with every byte; this one does not.
    sock = connection.sock
    timer = threading.Timer(seconds, _shut, [sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: Any) -> None:  # noqa: ANN401 - a socket, plain or TLS
    try:
        sock.shutdown(2)
    except OSError:
        return


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    if response.status != http.client.OK:
        raise WrongStatusError(response.status)
    data = response.read(most + 1)
    if len(data) > most:
        raise ValueError("the answer is too long")
    return data
