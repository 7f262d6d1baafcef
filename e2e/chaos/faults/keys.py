"""Who signs tokens is away, or another answers for him; and tokens name keys nobody has."""

from __future__ import annotations

import base64
import json
import time
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from e2e.chaos.clients.script import AWAY
from e2e.chaos.faults.processes import GATEWAY_SECONDS, NAME, kill
from e2e.chaos.impostor import JWKS, impostor
from e2e.faults import rewired
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.chaos.clients.script import Account
    from e2e.chaos.crowd import Crowd

UNKNOWN_KEYS = 100
# What else is asked, of whoever has that address: who has ended his session.
EVENTS = "/internal/events/?after="
# Between two looks for keys, however many are missing.
COOLDOWN_SECONDS, ON_ITS_WAY_SECONDS = 30.0, 1.0
# The second look is due while this lasts.
IMPOSTOR_SECONDS = 35.0


@contextmanager
def forget_auth_service(crowd: Crowd) -> Iterator[None]:
    """Who signs tokens is away, and who verifies them starts anew meanwhile, and is asked for more.

    Raises AssertionError if anybody is told anything but that it is away.
    """
    names = [process.name for process in crowd.stack.auth_processes]
    with kill(*names)(crowd):
        for name in ("messaging_service", NAME):
            crowd.stack.restart(name)
        name_unknown_keys(crowd)
        refresh = {"refresh": crowd.people[0].refresh}
        answer = httpx.post(f"{crowd.stack.address}/api/auth/refresh/", json=refresh, timeout=10)
        assert answer.status_code in AWAY, answer.status_code
        yield


@contextmanager
def trust_an_impostor(crowd: Crowd) -> Iterator[None]:
    """One process of each kind asks another, for keys too, who lies, hangs and sends it elsewhere.

    Raises AssertionError if he is asked for them more often than once in 30 s.
    """
    with ExitStack() as wired:
        asked = []
        for name in ("messaging_service", NAME):
            false_one = wired.enter_context(impostor())
            address = {"AUTH_API_URL": false_one.address}
            wired.enter_context(rewired(crowd.stack, name, **address))
            asked.append(false_one.asked)
        time.sleep(GATEWAY_SECONDS)
        crowd.scatter()
        until = time.monotonic() + IMPOSTOR_SECONDS
        while time.monotonic() < until:
            name_unknown_keys(crowd)
            time.sleep(1)
        for each in asked:
            _require_patience(each)
        yield


def _require_patience(asked: list[tuple[float, str]]) -> None:
    others = {path for _, path in asked if path != JWKS}
    assert all(path.startswith(EVENTS) for path in others), others
    keys = [at for at, path in asked if path == JWKS]
    assert len(keys) > 1, asked
    pauses = [after - before for before, after in pairwise(keys)]
    assert min(pauses) > COOLDOWN_SECONDS - ON_ITS_WAY_SECONDS, pauses


def name_unknown_keys(crowd: Crowd) -> None:
    """Show tokens that are good but for the key they name, at both doors; each is refused."""
    http, sockets = (crowd.stack.process(name).port for name in ("messaging_service", NAME))
    tokens = [naming(crowd.people[0], f"unknown-{number}") for number in range(UNKNOWN_KEYS)]
    with httpx.Client(base_url=f"http://{LOOPBACK}:{http}", timeout=10) as client:
        for token in tokens:
            bearer = {"Authorization": f"Bearer {token}", "Host": "localhost"}
            assert client.get("/api/chat/rooms/", headers=bearer).status_code in {401, 429}
    for token in tokens[:10]:
        bearer = {"Authorization": f"Bearer {token}"}
        with suppress(OSError, WebSocketException):
            url = f"ws://{LOOPBACK}:{sockets}/ws/chat/"
            with connect(url, additional_headers=bearer, close_timeout=1) as link:
                link.recv(timeout=5)
                raise AssertionError("A token with an unknown key was accepted.")


def naming(account: Account, key: str) -> str:
    """Somebody's token with the name of another key in it."""
    head, *rest = account.access.split(".")
    told = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(told | {"kid": key}).encode()).decode()
    return ".".join([changed.rstrip("="), *rest])
