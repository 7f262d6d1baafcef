"""The one owner of this process's Redis subscriptions.

Concurrent use of one subscribing connection loses subscriptions, so a single task writes SUBSCRIBE
and UNSUBSCRIBE, and a single task reads.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Final

import hiredis
from redis.asyncio import Connection

from service_kit.redis_client import connect_async

logger: Final = logging.getLogger(__name__)

CONFIRMATION_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 1.0
PING_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0
READ_BYTES: Final = 1 << 16


class Subscriptions:
    """Keeps this process subscribed to the channels it wants, over every loss of Redis.

    `heard` gets channel and data of every message that came in at once, in order; `restored` is
    called when a lost connection is back and every subscription confirmed: what was told meanwhile
    was missed.
    """

    def __init__(
        self, *, heard: Callable[[list[tuple[str, bytes]]], None], restored: Callable[[], None]
    ) -> None:
        self._heard = heard
        self._restored = restored
        self._wanted: dict[str, asyncio.Event] = {}
        self._changing: set[str] = set()
        self._asked: set[str] = set()
        self._confirmed: set[str] = set()
        self._changed = asyncio.Event()

    def want(self, channels: Iterable[str]) -> None:
        """Subscribe soon."""
        for channel in channels:
            if channel not in self._wanted:
                self._wanted[channel] = asyncio.Event()
                if channel in self._confirmed:
                    # It was given up a moment ago, and Redis has not been told yet.
                    self._wanted[channel].set()
                self._change(channel)

    async def add(self, channels: Collection[str]) -> None:
        """Subscribe; returns when Redis confirms, or after a second without it (see the audit)."""
        self.want(channels)
        if self._confirmed.issuperset(channels):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRMATION_SECONDS):
                for confirmed in [self._wanted[channel] for channel in channels]:
                    await confirmed.wait()

    def remove(self, channel: str) -> None:
        if unwanted := self._wanted.pop(channel, None):
            unwanted.set()
            self._change(channel)

    def _change(self, channel: str) -> None:
        self._changing.add(channel)
        self._changed.set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        lost = False
        while True:
            try:
                await self._connected(lost=lost)
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody else would listen.
                logger.warning("The subscription to Redis was lost: %s", type(error).__name__)
            lost = True
            await asyncio.sleep(random.uniform(0.1, LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter.

    async def _connected(self, *, lost: bool) -> None:
        # With a time-out redis-py sends within asyncio.wait_for, which on Python 3.11 may swallow
        # that it is cancelled: it did so after each freeze, when all times are over at once.
        pool = connect_async(timeout=None).connection_pool
        connection: Connection = pool.make_connection()
        tasks: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await connection.connect()
            self._asked.clear()
            self._confirmed.clear()
            for channel, confirmed in self._wanted.items():
                confirmed.clear()
                self._change(channel)
            work = [self._ask(connection), self._listen(connection), self._ping(connection)]
            if lost:
                work.append(self._restore())
            tasks = [asyncio.create_task(part) for part in work]
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await connection.disconnect(nowait=True)

    async def _restore(self) -> None:
        """Say so when all is confirmed: an audit before that would miss what comes meanwhile."""
        for confirmed in list(self._wanted.values()):
            await confirmed.wait()
        self._restored()

    async def _ask(self, connection: Connection) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            changing, self._changing = self._changing, set()
            wanted = changing & self._wanted.keys()
            await self._send(connection, "SUBSCRIBE", wanted - self._asked)
            unwanted = (changing - wanted) & self._asked
            self._confirmed -= unwanted
            await self._send(connection, "UNSUBSCRIBE", unwanted)

    async def _send(self, connection: Connection, command: str, channels: set[str]) -> None:
        if channels:
            self._asked ^= channels
            await connection.send_command(command, *channels)

    async def _ping(self, connection: Connection) -> None:
        # Its answer ends the silence after which a listener takes Redis for frozen.
        while True:
            await asyncio.sleep(PING_SECONDS)
            await connection.send_command("PING")

    async def _listen(self, connection: Connection) -> None:
        """Take all that has come in at once: redis-py takes 20 us for each message by itself."""
        stream, replies = connection._reader, hiredis.Reader()  # noqa: SLF001 - see above.
        assert stream is not None
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                data = await stream.read(READ_BYTES)
            if not data:
                raise ConnectionResetError
            replies.feed(data)
            self._take(replies)

    def _take(self, replies: hiredis.Reader) -> None:
        heard: list[tuple[str, bytes]] = []
        while (reply := replies.gets()) is not False:
            match reply:
                case [b"message", channel, data]:
                    heard.append((channel.decode(), data))
                case [b"subscribe", channel, _]:
                    self._confirm(channel.decode())
                case Exception():
                    raise reply
        try:
            self._heard(heard)
        except Exception:
            logger.exception("What was published could not be told.")

    def _confirm(self, channel: str) -> None:
        if confirmed := self._wanted.get(channel):
            self._confirmed.add(channel)
            confirmed.set()
