"""What may happen to a system, as one table: each is broken on entering and healed on leaving."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from e2e.faults import frozen, killed
from e2e.history.history import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from local.stack import Stack

    Strike = Callable[[Stack], AbstractContextManager[None]]

# Sends are acknowledged within a second with Redis away; a loaded machine gets twice that.
WITHOUT_REDIS = Bounds(answer=2.0)
# Nobody can be told what is in a store that does not answer.
WITHOUT_POSTGRES = Bounds(answer=5.5, delivery_is_excused=True)


# Who is connected to what does not answer has to notice it himself.
WITHOUT_A_PROCESS = Bounds(delivery_is_excused=True)
WITHOUT_GATEWAY = Bounds(delivery_is_excused=True)
# After this the gateway has looked again whether a server is up.
GATEWAY_SECONDS = 5.5


@dataclass(frozen=True)
class Fault:
    """Something that is broken for `seconds`, and what holds all the same.

    Those that are not `is_short` are left to `make soak`.
    """

    name: str
    strike: Strike
    seconds: float = 0.0
    bounds: Bounds = field(default_factory=Bounds)
    is_short: bool = True


def nothing(_: Stack) -> AbstractContextManager[None]:
    return nullcontext()


@contextmanager
def sockets_killed_in_turn(stack: Stack) -> Iterator[None]:
    """Each socket process is ended at once, mid-send, and started again before the next."""
    for process in stack.socket_processes:
        with killed(stack, process.name):
            time.sleep(1)
        time.sleep(1)
    yield


@contextmanager
def everything_replaced_in_turn(stack: Stack) -> Iterator[None]:
    """A rolling restart: each process of ours is asked to end, and started again."""
    for process in stack.servers:
        process.stop()
        stack.restart(process.name)
        # Until the gateway sends to it again.
        time.sleep(GATEWAY_SECONDS)
    yield


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("nothing", nothing, seconds=5),
        Fault("sockets killed in turn", sockets_killed_in_turn),
        Fault(
            "a socket process frozen",
            partial(frozen, name="messaging_sockets-1"),
            10,
            WITHOUT_A_PROCESS,
        ),
        Fault("everything replaced in turn", everything_replaced_in_turn),
        Fault("gateway killed", partial(killed, name="traefik"), 1, WITHOUT_GATEWAY),
        Fault("redis restarted", partial(killed, name="redis"), 3, WITHOUT_REDIS),
        Fault("redis frozen", partial(frozen, name="redis"), 10, WITHOUT_REDIS),
        Fault("postgres restarted", partial(killed, name="postgres"), 3, WITHOUT_POSTGRES),
        Fault("postgres frozen", partial(frozen, name="postgres"), 10, WITHOUT_POSTGRES),
    )
}
