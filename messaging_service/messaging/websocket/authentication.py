"""Who opens a socket: one credential wherever it stands, or else the cookie of a page of ours."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from channels.middleware import BaseMiddleware
from django.http import parse_cookie

from messaging.actions.tickets import redeem_ticket
from messaging.websocket.ended import refuse_ended
from messaging.websocket.threads import in_ticket_thread
from service_kit.authentication import ACCESS_COOKIE
from service_kit.refusals import Refusal, as_refusal
from service_kit.security import tell_security
from service_kit.tokens import Claims, verify

PROTOCOL: Final = "parley.v1"
_BEARER_PROTOCOL: Final = "bearer."

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class CredentialMiddleware(BaseMiddleware):
    """Puts `claims` into the scope, or the `refusal` to close with."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scope = dict(scope)
        try:
            scope["claims"] = claims = await claims_of(scope)
            await refuse_ended(claims)
        except Exception as error:
            refusal = as_refusal(error)
            if refusal is None:
                raise
            scope["refusal"] = refusal
            tell_security("credential.refused", reason=refusal.code)
        await super().__call__(scope, receive, send)


async def claims_of(scope: dict[str, Any]) -> Claims:
    """The claims of the one credential given; raises `invalid` for two, or for bad protocols.

    Without one, those of the cookie, which counts only beside an Origin: a foreign one was refused
    before, and a browser that opens a socket always sends one.
    """
    found = [*_in_query(scope), *_in_headers(scope), *_in_protocols(scope)]
    if len(found) > 1:
        raise Refusal("invalid", "Give one credential, not two.")
    if not found:
        found = _in_cookie(scope)
    if not found:
        raise Refusal("not_authenticated", "A credential is needed.")
    ((kind, value),) = found
    if kind == "ticket":
        return await in_ticket_thread(redeem_ticket, ticket=value)
    return verify(value)


def _in_query(scope: dict[str, Any]) -> list[tuple[str, str]]:
    query = scope.get("query_string", b"").decode("latin-1")
    return [(name, value) for name, value in parse_qsl(query) if name in {"token", "ticket"}]


def _in_headers(scope: dict[str, Any]) -> list[tuple[str, str]]:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    return [("token", _bearer(value.decode("latin-1"))) for value in values]


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""


def _in_protocols(scope: dict[str, Any]) -> list[tuple[str, str]]:
    offered: list[str] = scope.get("subprotocols", [])
    if offered and PROTOCOL not in offered:
        raise Refusal("invalid", f"The subprotocol is {PROTOCOL}.")
    start = len(_BEARER_PROTOCOL)
    return [("token", name[start:]) for name in offered if name.startswith(_BEARER_PROTOCOL)]


def _in_cookie(scope: dict[str, Any]) -> list[tuple[str, str]]:
    headers = dict(scope["headers"])
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    token = cookies.get(ACCESS_COOKIE)
    return [("token", token)] if token and b"origin" in headers else []


def protocol_of(scope: dict[str, Any]) -> str | None:
    """The subprotocol to answer with: never the one that carries a token."""
    return PROTOCOL if PROTOCOL in scope.get("subprotocols", []) else None
