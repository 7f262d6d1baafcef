"""Keeps the connections of this process held, so that who is here is known to be here.

holding.py    leases in Redis: what is open, what was closed, whose time is over
telling.py    what follows from it, written to Postgres and told

Each is a task with a thread of its own. So neither a frozen Redis nor a frozen Postgres makes the
loop wait, or the sockets' own work, or the other task.
"""

from collections.abc import Mapping
from typing import Any, Final

from messaging.websocket.background import Background
from messaging.websocket.presence.holding import Holder
from messaging.websocket.presence.telling import Teller

# Who closes says one of these, or nothing: 1005.
_FAREWELLS: Final = frozenset({1000, 1001})
_NO_CODE: Final = 1005


class Keeper:
    """What the life of a socket says to presence: `opened` and `closed` only note it."""

    def __init__(self) -> None:
        self._teller = Teller()
        self._holder = Holder(doubt=self._teller.doubt)
        self.opened = self._holder.opened
        self.closed = self._holder.closed
        self._background = Background()

    def start(self) -> None:
        for work in (self._holder.run(), self._teller.run()):
            self._background.start(work)

    async def stop(self) -> None:
        """End, and give the connections that are open ten seconds to come back elsewhere."""
        await self._background.stop()
        await self._holder.leave()
        self._teller.leave()


def is_clean(disconnect: Mapping[str, Any]) -> bool:
    """Whether a client closed its connection, by what ASGI says of its end; else it broke.

    Of one closed without a code uvicorn says 1005 and a reason, Daphne nothing. uvicorn says 1005
    of a broken connection too, but without a reason.
    """
    code = disconnect.get("code")
    return code is None or code in _FAREWELLS or (code == _NO_CODE and "reason" in disconnect)


_keeper: Keeper | None = None


def keeper() -> Keeper:
    """The keeper of this process, started at its first use, on the loop it is used from."""
    global _keeper  # noqa: PLW0603 - there is one loop, so one keeper, in a process.
    if _keeper is None:
        _keeper = Keeper()
        _keeper.start()
    return _keeper


def start_keeper() -> None:
    """Begin to hold connections, and to notice whose are over."""
    keeper()


async def stop_keeper() -> None:
    """Stop the keeper, if there is one."""
    global _keeper
    if _keeper is not None:
        stopped, _keeper = _keeper, None
        await stopped.stop()
