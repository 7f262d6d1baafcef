"""Single-use tickets that open a socket without a token in its address."""

import hashlib
import secrets
from dataclasses import asdict
from functools import cache
from typing import Any, Final, cast

import orjson
from redis import Redis

from service_kit.redis_client import connect
from service_kit.refusals import Refusal
from service_kit.tokens import Claims

TICKET_SECONDS: Final = 30
_TIMEOUT_SECONDS: Final = 0.2


@cache
def _redis() -> Redis:
    return connect(timeout=_TIMEOUT_SECONDS)


def _key(ticket: str) -> str:
    """Tickets are kept as a hash: who reads Redis cannot use them."""
    return f"parley:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"


def buy_ticket(*, claims: Claims) -> str:
    """A ticket for this token's holder, good once and for 30 s; `unavailable` without Redis."""
    ticket = secrets.token_urlsafe(32)
    _redis().set(_key(ticket), orjson.dumps(asdict(claims)), ex=TICKET_SECONDS)
    return ticket


def redeem_ticket(*, ticket: str) -> Claims:
    """The claims of the token that bought it; raises `not_authenticated` the second time."""
    kept = cast("bytes | None", _redis().getdel(_key(ticket)))
    if kept is None:
        raise Refusal("not_authenticated", "This ticket is not valid.")
    claims: dict[str, Any] = orjson.loads(kept)
    return Claims(**claims)
