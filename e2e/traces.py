"""Everything that a system wrote down anywhere, and what must not stand in it."""

from __future__ import annotations

import io
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import redis

from local.testing import isolated_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

READERS: dict[bytes, Any] = {
    b"string": lambda store, key: store.get(key),
    b"hash": lambda store, key: store.hgetall(key),
    b"set": lambda store, key: store.smembers(key),
    b"zset": lambda store, key: store.zrange(key, 0, -1),
    b"list": lambda store, key: store.lrange(key, 0, -1),
    b"stream": lambda store, key: store.xrange(key),
}
TABLES = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
OURS = f"{TABLES} WHERE schemaname = 'public'"
# An access token (a JWT), and a refresh token (accounts.tokens), whoseever they are.
TOKEN = re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}|\b[0-9a-f]{32}\.[\w-]{43}\b")


@contextmanager
def searched_stack(**options: Any) -> Iterator[Stack]:
    """Run a system of one's own, and in the end find no token written down by it."""
    with isolated_stack(**options) as stack:
        yield stack
        assert [*places_with_tokens(stack)] == []


def places_with_tokens(stack: Stack) -> Iterator[str]:
    for place in (log_files, metrics, redis_keys, tables):
        for name, text in place(stack):
            if TOKEN.search(text):
                yield name


def log_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """Everything any process wrote, uvicorn's and gunicorn's stderr included."""
    for file in stack.logs.rglob("*"):
        if file.is_file():
            yield file.name, file.read_text(errors="replace")


def metrics(stack: Stack) -> Iterator[tuple[str, str]]:
    sockets = [f"/sockets-{number}" for number in range(1, len(stack.socket_processes) + 1)]
    for path in ("", "/auth", "/chat", *sockets):
        address = f"http://127.0.0.1:{stack.operators_port}/metrics{path}"
        answer = httpx.get(address)
        # What was replaced, and serves nobody any more, has none.
        if answer.status_code != httpx.codes.BAD_GATEWAY:
            yield path, answer.raise_for_status().text


def redis_keys(stack: Stack) -> Iterator[tuple[str, str]]:
    with redis.Redis.from_url(stack.redis.url) as store:
        for key in store.scan_iter():
            yield str(key), f"{key!r} {READERS[store.type(key)](store, key)!r}"


def tables(stack: Stack) -> Iterator[tuple[str, str]]:
    for database in ("auth", "messaging"):
        with closing(stack.postgres.connect(database)) as link, link.cursor() as cursor:
            cursor.execute(OURS)
            for (table,) in cursor.fetchall():
                rows = io.StringIO()
                cursor.copy_expert(f"COPY {table} TO STDOUT", rows)
                yield f"{database} {table}", rows.getvalue()
