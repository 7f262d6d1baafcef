"""A rolling restart, as an orchestrator does it: whoever talks to the gateway notices nothing.

HTTP processes    one of each service after the other, at their addresses
socket processes  successors of all come up first, then the old ones leave together: each socket
                  moves once, for no other that leaves is found any more
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local.services import ready
from local.stack import process_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from local.processes import Process
    from local.stack import Stack

# Twice LEAVING_SECONDS, and what a last request takes.
LONGEST_LEAVING_SECONDS = 30.0


def upgrade(stack: Stack, code: Path) -> None:
    """Go over to the version in another folder; the one before serves on the new one's tables."""
    stack.auth = replace(stack.auth, code=code)
    stack.messaging = replace(stack.messaging, code=code)
    for service in (stack.auth, stack.messaging):
        service.manage("migrate", "--no-input").run()
    restart_in_turn(stack)


def restart_in_turn(stack: Stack) -> None:
    """Replace every process of both services. Only from the main thread.

    `stack` needs as many `spare_sockets` as it has socket processes, two HTTP processes of each
    service, and LEAVING_SECONDS longer than the gateway takes to look again.
    """
    for index in range(stack.http_each):
        _replace_http(stack, index)
    _succeed_sockets(stack)


def _replace_http(stack: Stack, index: int) -> None:
    old = [stack.auth_processes[index], stack.messaging_processes[index]]
    _leave(old)
    new = [
        service.http(number=index + 1, port=port)
        for service, port in zip((stack.auth, stack.messaging), map(_port, old), strict=True)
    ]
    _start(stack, old, new)
    stack.auth_processes[index], stack.messaging_processes[index] = new
    for process, service in zip(new, ("auth", "chat"), strict=True):
        _wait_until_found(stack, process, service)


def _succeed_sockets(stack: Stack) -> None:
    old, ports = stack.socket_processes, stack.spare_ports
    new = [
        stack.messaging.sockets(number=number, port=port)
        for number, port in enumerate(ports[: len(old)], start=1)
    ]
    _start(stack, old, new)
    for process in new:
        _wait_until_found(stack, process, "sockets")
    stack.socket_processes, stack.spare_ports = new, list(map(_port, old))
    _leave(old)


def _start(stack: Stack, old: Sequence[Process], new: Sequence[Process]) -> None:
    stack.processes[:] = [each for each in stack.processes if each not in old] + [*new]
    for process in new:
        process.start()


def _wait_until_found(stack: Stack, process: Process, service: str) -> None:
    process.wait_until(lambda: ready(process))
    process.wait_until(lambda: process_url(process) in stack.traefik.sends_to(service))


def _leave(processes: Sequence[Process]) -> None:
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.see_off(seconds=LONGEST_LEAVING_SECONDS)


def _port(process: Process) -> int:
    assert process.port is not None
    return process.port
