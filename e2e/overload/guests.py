"""Everybody who is needed: accounts, and rooms for those who belong together."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from e2e.chaos.clients.doorkeeper import STEWARD
from e2e.chaos.clients.script import Account, patiently, sign_up
from e2e.overload.abuses import ABUSES, IDLE
from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.stack import Stack

# What everybody's tokens need, who are made once and then stay.
SETTINGS = {"ACCESS_TOKEN_SECONDS": "3600"}
TALKERS, IDLE_PAIRS = 8, 25
AT_ONCE = 4

Job = dict[str, Any]
"""What a process of clients is told."""


@dataclass(frozen=True)
class Cast:
    """Who talks, whose thousand sockets are idle, and who abuses."""

    talk: Job
    idle: Job
    abuse: Job

    def with_only(self, kinds: Sequence[str]) -> Cast:
        """The same with some of the abusers."""
        actors = [actor for actor in self.abuse["actors"] if actor["kind"] in kinds]
        return Cast(self.talk, self.idle, {**self.abuse, "actors": actors})


def everybody() -> dict[str, int]:
    """How many there are of each kind of abuser: fifty in all."""
    return {kind: abuse.people for kind, abuse in ABUSES.items()}


def cast(stack: Stack, kinds: Mapping[str, int]) -> Cast:
    """Sign up everybody; `kinds` says how many there are of each abuse, two at least."""
    names = ["talk"] * TALKERS + [IDLE] * IDLE_PAIRS + [*kinds]
    sizes = [2] * (TALKERS + IDLE_PAIRS) + [*kinds.values()]
    actors = asyncio.run(_actors(stack, names, sizes))

    def job(*which: str) -> Job:
        chosen = [actor for actor in actors if actor["kind"] in which]
        return {"port": stack.port, "actors": chosen}

    return Cast(job("talk"), job(IDLE), job(*kinds))


async def _actors(stack: Stack, names: Sequence[str], sizes: Sequence[int]) -> list[Job]:
    """So many of each name, each group in a room of its own."""
    all_names = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    accounts = iter(await sign_up_all(stack.address, all_names))
    groups = [[next(accounts) for _ in range(size)] for size in sizes]
    rooms = await open_rooms(stack, groups)
    return [
        {"kind": name, "token": account.access, "room": room}
        for name, group, room in zip(names, groups, rooms, strict=True)
        for account in group
    ]


async def sign_up_all(address: str, names: Sequence[str]) -> list[Account]:
    """Accounts that messaging knows too."""
    free = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:

        async def arrive(name: str) -> Account:
            async with free:
                account = await sign_up(http, name.replace(" ", "-"))
                await patiently(http, "GET", "/api/chat/rooms/", headers=account.bearer)
                return account

        return await asyncio.gather(*map(arrive, names))


async def open_rooms(stack: Stack, groups: Sequence[Sequence[Account]]) -> list[int]:
    """One room for each group of two or more."""
    async with httpx.AsyncClient(base_url=stack.address, timeout=30) as http:
        rooms = [await _open_room(http, *group[:2]) for group in groups]
    late = [
        f"join {room} {account.user_id}\n"
        for room, group in zip(rooms, groups, strict=True)
        for account in group[2:]
    ]
    _let_in(stack, "".join(late))
    return rooms


async def _open_room(http: httpx.AsyncClient, one: Account, other: Account) -> int:
    body = {"room_type": "direct", "participants": [other.user_id]}
    opened = await patiently(http, "POST", "/api/chat/rooms/", json=body, headers=one.bearer)
    return int(opened["id"])


def _let_in(stack: Stack, lines: str) -> None:
    """See steward.py."""
    manage = stack.messaging.manage("shell")
    path = [str(manage.folder), str(ROOT), manage.environment["PYTHONPATH"]]
    environment = {**os.environ, **manage.environment, "PYTHONPATH": os.pathsep.join(path)}
    subprocess.run(
        [sys.executable, str(STEWARD)],
        input=lines,
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
        cwd=manage.folder,
        env=environment,
    )
