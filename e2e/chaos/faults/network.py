"""What networks do: between a process of ours and its stores, or clients and the gateway."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from e2e.chaos.faults.processes import GATEWAY_SECONDS, NAME
from e2e.chaos.listening import hears_that, listens_over
from e2e.chaos.tunnel import Tunnel
from e2e.faults import rewired
from e2e.people import Person
from e2e.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd

# From when the cable is cut.
GONE_SECONDS = 45.0


def slow_store(store: str, seconds: float) -> Callable[[Crowd], AbstractContextManager[object]]:
    """One socket process is so far from a store, there and back."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with _between(crowd, store) as proxy:
            proxy.latency = seconds / 2
            yield
            proxy.heal()

    return strike


def cut_off(store: str) -> Callable[[Crowd], AbstractContextManager[object]]:
    """One socket process reaches a store no more, while the others do; no connection ends."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with _between(crowd, store) as proxy:
            proxy.blackhole()
            yield
            proxy.heal()

    return strike


def reset_again_and_again(store: str) -> Callable[[Crowd], AbstractContextManager[object]]:
    """Connections of one socket process to a store break, and new ones can be made."""

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with _between(crowd, store) as proxy:
            for _ in range(10):
                time.sleep(0.5)
                proxy.reset()
            yield

    return strike


@contextmanager
def lose_touch(crowd: Crowd) -> Iterator[None]:
    """Nothing comes through to half of the clients, nor from them, and no connection ends."""
    crowd.far.blackhole()
    yield
    crowd.far.heal()


@contextmanager
def go_far_away(crowd: Crowd) -> Iterator[None]:
    """Half of the clients are on the other side of the world."""
    crowd.far.latency = 0.2
    yield
    crowd.far.heal()


@contextmanager
def break_far_connections(crowd: Crowd) -> Iterator[None]:
    """The connections of half of the clients break, again and again."""
    for _ in range(5):
        crowd.far.reset()
        time.sleep(1.5)
    yield


@contextmanager
def cut_the_wire(crowd: Crowd) -> Iterator[None]:
    """Half of the clients are gone without a word: nobody's kernel says that they are.

    Raises TimeoutError if somebody with one device, who is, is not shown to be gone in time.
    """
    wire, address = crowd.wire, crowd.stack.address
    assert wire
    with (
        Person.signs_up(address, "a") as gone,
        Person.signs_up(address, "b") as watching,
        ExitStack() as listening,
    ):
        room = gone.opens_room_with(watching)
        ear = listening.enter_context(watching.listens(room))
        listening.enter_context(listens_over(wire, crowd.far, gone, room))
        hears_that(ear, gone, "online", within=GONE_SECONDS)
        wire.cut()
        hears_that(ear, gone, "offline", within=GONE_SECONDS)
        yield
        wire.mend()


@contextmanager
def lose_packets(crowd: Crowd) -> Iterator[None]:
    """The way to half of the clients loses one packet in ten, in each direction."""
    assert crowd.wire
    crowd.wire.lose(0.1)
    yield
    crowd.wire.lose(0)


@contextmanager
def shuffle_packets(crowd: Crowd) -> Iterator[None]:
    """Of the packets to half of the clients, and of theirs, some are overtaken, lost or doubled."""
    assert isinstance(crowd.wire, Tunnel)
    crowd.wire.disturb()
    yield
    crowd.wire.mend()


@contextmanager
def _between(crowd: Crowd, store: str) -> Iterator[Proxy]:
    """A proxy before a store, for one socket process, which starts anew before and after."""
    stack = crowd.stack
    port = {"postgres": stack.postgres.port, "redis": stack.redis.port}[store]
    with closing(Proxy(port)) as proxy:
        url = stack.redis.url.replace(f":{port}/", f":{proxy.port}/")
        settings = {
            "postgres": {"DB_PORT": str(proxy.port)},
            "redis": {"REDIS_PORT": str(proxy.port), "REDIS_URL": url},
        }
        with rewired(stack, NAME, **settings[store]):
            # Now some come to this process, too.
            time.sleep(GATEWAY_SECONDS)
            crowd.scatter()
            yield proxy
