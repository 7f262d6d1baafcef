"""Postgres and Redis behind TLS, as providers have them; those of the tests speak none."""

import asyncio
import os
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

from local.ports import LOOPBACK, free_ports
from local.tests.certificates import write_certificate

NAME: Final = "localhost"
# What a client of Postgres begins with that wants TLS; another one is sent away.
SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
PIECE: Final = 65_536


class TlsStores:
    """Ports where each store is reached by TLS alone, and how often it was."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = write_certificate(folder, NAME)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate, key)
        self.postgres_port, self.redis_port = free_ports(2)
        self.counted: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()

    @property
    def settings(self) -> dict[str, str]:
        """Return what leads a service to them, and makes it sure of whom it speaks to."""
        file = str(self.certificate)
        password = os.environ["REDIS_URL"].partition("//:")[2].partition("@")[0]
        return {
            "DB_HOST": NAME,
            "DB_PORT": str(self.postgres_port),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": file,
            "REDIS_URL": f"rediss://:{password}@{NAME}:{self.redis_port}/0?ssl_ca_certs={file}",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        self._loop.run_until_complete(self._listen())
        thread = Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _listen(self) -> None:
        self._listeners = [
            await asyncio.start_server(self._postgres, LOOPBACK, self.postgres_port),
            await asyncio.start_server(self._redis, LOOPBACK, self.redis_port, ssl=self._context),
        ]

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _postgres(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
            writer.close()
            return
        writer.write(b"S")
        await writer.start_tls(self._context)
        await self._pass_on("postgres", reader, writer, port=int(os.environ["DB_PORT"]))

    async def _redis(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass_on("redis", reader, writer, port=int(os.environ["REDIS_PORT"]))

    async def _pass_on(
        self, store: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, port: int
    ) -> None:
        self.counted[store] += 1
        from_store, to_store = await asyncio.open_connection(LOOPBACK, port)
        with suppress(OSError):
            await asyncio.gather(_copy(reader, to_store), _copy(from_store, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
