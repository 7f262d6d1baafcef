"""What all clients of a run share: where the gateway is, who they are, and what they write down."""

from __future__ import annotations

import asyncio
import hashlib
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from e2e.history.operations import Operation, now

if TYPE_CHECKING:
    import httpx

    from e2e.history.operations import Kind

PASSWORD = "over-the-hills-and-far-away"
ANSWER_SECONDS = 8.0
AWAY = {502, 503, 504}

Frame = dict[str, Any]


@dataclass
class Script:
    """Everything that is written down, and the moments at which clients are to stop."""

    address: str
    operations: list[Operation] = field(default_factory=list)
    is_writing: bool = True

    def note(self, who: str, act: str, kind: Kind = "ok", **fields: Any) -> None:
        self.operations.append(Operation(at=now(), who=who, act=act, kind=kind, **fields))


@dataclass
class Account:
    """Somebody who has just signed up."""

    name: str
    username: str
    user_id: str
    access: str
    refresh: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}

    async def renew(self, http: httpx.AsyncClient) -> None:
        """Raises httpx.HTTPError if auth_service is away."""
        answer = await http.post("/api/auth/refresh/", json={"refresh": self.refresh})
        answer.raise_for_status()
        self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]


async def sign_up(http: httpx.AsyncClient, name: str) -> Account:
    username = f"{name}-{uuid.uuid4().hex[:12]}"
    body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    told = await patiently(http, "POST", "/api/auth/register/", json=body)
    return Account(name, username, told["user"]["id"], told["access"], told["refresh"])


async def patiently(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> Frame:
    """Ask, and ask again where something is away; raises httpx.HTTPStatusError for the rest."""
    while (answer := await http.request(method, url, **more)).status_code in AWAY:
        await asyncio.sleep(0.2)
    answer.raise_for_status()
    return dict(answer.json())


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def seen(message: Frame) -> dict[str, Any]:
    """What is written down of a message, however it was shown."""
    return {
        "room": message["room"],
        "id": message["id"],
        "seq": message["seq"],
        "pos": message["pos"],
        "created_pos": message["created_pos"],
        "client_id": message["client_id"],
        "about": message["sender_id"],
        "digest": digest(message["content"]),
        "is_deleted": message["is_deleted"],
        "timestamp": message["timestamp"],
    }


def words() -> str:
    """Something to say; each is another, and now and then one is long."""
    return uuid.uuid4().hex * random.choice((1, 1, 1, 1, 40))
