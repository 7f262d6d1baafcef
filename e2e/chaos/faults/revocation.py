"""Sessions that end while something else is broken."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from e2e.chaos.faults.processes import NAME
from e2e.faults import frozen, killed
from e2e.people import Person
from e2e.revocation.device import ENDED, Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd
    from local.stack import Stack

    Break = Callable[[Stack, str], AbstractContextManager[object]]
    Strike = Callable[[Crowd], AbstractContextManager[object]]

LEAVING = 3
SOCKETS = 6
# Promised are ten without Redis; from when a process can reach Postgres on.
SECONDS = 15.0


def log_out_while(*broken: tuple[Break, str], seconds: float) -> Strike:
    """Some log out of one device each while all of these are broken, for so long.

    Raises AssertionError if a socket of theirs stays open, or their tokens go on being good.
    """

    @contextmanager
    def strike(crowd: Crowd) -> Iterator[None]:
        with ExitStack() as there:
            devices = [_device(crowd, there) for _ in range(LEAVING)]
            with ExitStack() as breaking:
                for how, name in broken:
                    breaking.enter_context(how(crowd.stack, name))
                for device in devices:
                    assert device.http.post("/api/auth/logout/").status_code == 204
                time.sleep(seconds)
            for device in devices:
                device.refused_after(within=SECONDS)
                assert {closing.code for closing in device.closings(within=SECONDS)} <= GONE
            yield

    return strike


def _device(crowd: Crowd, there: ExitStack) -> Device:
    person = there.enter_context(Person.signs_up(crowd.stack.address, "leaver"))
    device = there.enter_context(Device(person))
    device.listens(SOCKETS)
    return device


# None where the process of a socket was killed.
GONE = {ENDED, None}
without_redis = log_out_while((frozen, "redis"), seconds=8)
without_a_process = log_out_while((frozen, NAME), (killed, "redis"), seconds=8)
while_messaging_restarts = log_out_while((killed, "messaging_service"), (killed, NAME), seconds=1)
