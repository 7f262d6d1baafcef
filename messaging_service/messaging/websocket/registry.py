"""The sockets of this process, and how many their owners hold open in all of them."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from django.conf import settings
from prometheus_client import Counter

from messaging.permissions.limits.sockets import OpenSocket, SocketCount
from messaging.websocket.background import Background
from messaging.websocket.control import Control, Message, tell_to_close
from messaging.websocket.ended import close_those_that_end
from messaging.websocket.standstill import standstill
from service_kit.tokens import Claims

logger: Final = logging.getLogger(__name__)

TOO_MANY: Final = 4429
REPLACED: Final = "replaced"
RENEW_SECONDS: Final = 3.0
# For what comes together with the first.
BATCH_SECONDS: Final = 0.02
PAUSE_SECONDS: Final = 1.0
# Closes that Redis has yet to hear of.
MOST_GONE: Final = 100_000


_replaced: Final = Counter(
    "parley_sockets_replaced_total", "Sockets that were the oldest of too many of one user."
)


class Holder(Protocol):
    """What the registry must know of a connection."""

    id: str
    claims: Claims
    is_closing: bool

    def close(self, code: int, reason: str) -> None:
        """Close it soon."""


class Registry:
    """`opened` and `closed` only note what happened; the oldest of too many is closed soon.

    Without Redis the sockets of this process alone are counted.
    """

    def __init__(self) -> None:
        self._sockets: dict[str, tuple[Holder, OpenSocket]] = {}
        self._new: dict[str, OpenSocket] = {}
        self._gone: list[OpenSocket] = []
        self._elsewhere: list[str] = []
        self._is_alone = False
        self._count = SocketCount()
        self._thread = ThreadPoolExecutor(1, "socket-count")
        self._changed = asyncio.Event()
        self._background = Background()

    def start(self) -> None:
        close_those_that_end(self)
        for work in (Control(self._obey).run(), self._run(), standstill.watch()):
            self._background.start(work)

    async def stop(self) -> None:
        """From here on none of this process' sockets counts."""
        await self._background.stop()
        with suppress(Exception):
            await asyncio.get_running_loop().run_in_executor(self._thread, self._count.end)
        self._thread.shutdown(wait=False)

    def opened(self, connection: Holder) -> None:
        """A connection is open."""
        socket = OpenSocket(connection.id, connection.claims.user_id, time.time())
        self._sockets[connection.id] = (connection, socket)
        self._new[connection.id] = socket
        self._changed.set()

    def closed(self, connection: Holder) -> None:
        """It is closed; twice is once, and unknown ones are none."""
        if found := self._sockets.pop(connection.id, None):
            self._gone.append(found[1])
            self._new.pop(connection.id, None)
            self._changed.set()

    async def send_away(self, code: int, reason: str, *, seconds: float) -> None:
        """Close all, one after the other over so long: nobody comes back together with all."""
        leaving = [holder for holder, _ in self._sockets.values()]
        began = asyncio.get_running_loop().time()
        for number, holder in enumerate(leaving):
            due = began + seconds * number / len(leaving)
            if (wait := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
            holder.close(code, reason)

    def close_who(self, chosen: Callable[[Claims], bool], code: int, reason: str) -> int:
        """Close the sockets of those chosen, and say how many they were."""
        held = [holder for holder, _ in self._sockets.values() if not holder.is_closing]
        leaving = [holder for holder in held if chosen(holder.claims)]
        for holder in leaving:
            holder.close(code, reason)
        return len(leaving)

    async def _run(self) -> None:
        while True:
            # Not wait_for: before Python 3.12 it may forget to be cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._changed.wait()
                await asyncio.sleep(BATCH_SECONDS)
            self._changed.clear()
            try:
                await self._settle()
                self._is_alone = False
            except Exception as error:  # noqa: BLE001 - nothing may end this task.
                if not self._is_alone:
                    logger.warning("Sockets are counted alone: %s", type(error).__name__)
                self._is_alone = True
                self._count_alone()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _settle(self) -> None:
        opened, self._new = self._new, {}
        closed = list(self._gone)
        exchange = partial(self._count.exchange, opened=list(opened.values()), closed=closed)
        counted = await asyncio.get_running_loop().run_in_executor(self._thread, exchange)
        del self._gone[: len(closed)]
        if counted.lost and self._sockets.keys() - opened.keys():
            self._say_everything()
        self._elsewhere += self._close(counted.too_many, TOO_MANY, REPLACED)
        if self._elsewhere:
            await tell_to_close(self._elsewhere, code=TOO_MANY, reason=REPLACED)
            self._elsewhere.clear()

    def _say_everything(self) -> None:
        self._new = {id_: socket for id_, (_, socket) in self._sockets.items()}
        self._changed.set()

    def _count_alone(self) -> None:
        """Close what is too many here; nobody knows what of the last exchange was done."""
        self._say_everything()
        del self._gone[:-MOST_GONE]
        held: defaultdict[str, list[str]] = defaultdict(list)
        for id_, (_, socket) in self._sockets.items():
            held[socket.user_id].append(id_)
        most = settings.LIMITS["SOCKETS_PER_USER"]
        for ids in held.values():
            self._close(ids[: max(0, len(ids) - most)], TOO_MANY, REPLACED)

    def _obey(self, message: Message) -> None:
        if message["type"] == "close":
            self._close(message["connections"], message["code"], message["reason"])

    def _close(self, ids: Iterable[str], code: int, reason: str) -> list[str]:
        """Close those that are here, and give back the others."""
        others = []
        for id_ in ids:
            if found := self._sockets.get(id_):
                found[0].close(code, reason)
                _replaced.inc(reason == REPLACED)
            else:
                others.append(id_)
        return others


_registry: Registry | None = None


def registry() -> Registry:
    """The registry of this process, on the loop it is used from."""
    global _registry  # noqa: PLW0603 - there is one loop, so one registry, in a process.
    if _registry is None:
        _registry = Registry()
        _registry.start()
    return _registry


async def stop_registry() -> None:
    """Its sockets count no more."""
    global _registry
    if _registry is not None:
        stopped, _registry = _registry, None
        await stopped.stop()
