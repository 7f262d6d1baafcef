"""A rolling restart, as an orchestrator does it: who talks to the gateway notices nothing.

HTTP processes    one of each service after the other, at their addresses
socket processes  successors of all come up first, then the old ones leave together: each socket
                  moves once, for no other that leaves is found any more
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.services import ready
from local.stack import process_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.processes import Process
    from local.stack import Stack

# Twice LEAVING_SECONDS, and what a last request takes.
LONGEST_LEAVING_SECONDS = 30.0


def restart_in_turn(stack: Stack) -> None:
    """Replace every process of both services. Only from the main thread.

    `stack` needs as many `spare_sockets` as it has socket processes, two HTTP processes of each
    service, and LEAVING_SECONDS longer than the gateway takes to look again.
    """
    for pair in zip(stack.auth_processes, stack.messaging_processes, strict=True):
        _leave(pair)
        for process in pair:
            process.start()
        for process, service in zip(pair, ("auth", "chat"), strict=True):
            _wait_until_found(stack, [process], service)
    _succeed(stack)


def _succeed(stack: Stack) -> None:
    old, ports = stack.socket_processes, stack.spare_ports
    new = [
        stack.messaging.sockets(number=number, port=port)
        for number, port in enumerate(ports[: len(old)], start=1)
    ]
    for process in new:
        process.start()
    _wait_until_found(stack, new, "sockets")
    stack.socket_processes = new
    stack.spare_ports = [process.port for process in old if process.port]
    stack.processes[:] = [each for each in stack.processes if each not in old] + new
    _leave(old)


def _wait_until_found(stack: Stack, processes: Sequence[Process], service: str) -> None:
    for process in processes:
        process.wait_until(lambda process=process: ready(process))  # type: ignore[misc]
        url = process_url(process)
        process.wait_until(lambda url=url: url in stack.traefik.sends_to(service))  # type: ignore[misc]


def _leave(processes: Sequence[Process]) -> None:
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.see_off(seconds=LONGEST_LEAVING_SECONDS)
