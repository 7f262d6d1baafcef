"""Which web pages may open sockets: browsers say where a page came from, other clients do not."""

from typing import Any

from channels.middleware import BaseMiddleware

from messaging.websocket.authentication import Receive, Send
from messaging.websocket.requests import remember_request
from service_kit.origins import is_allowed
from service_kit.security import tell_security


class OriginMiddleware(BaseMiddleware):
    """Refuses a foreign page before the upgrade: a close before accept is HTTP 403."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        remember_request(scope)
        if is_welcome(scope):
            await super().__call__(scope, receive, send)
        else:
            tell_security("origin.denied", reason=" ".join(_origins(scope))[:255])
            await receive()
            await send({"type": "websocket.close"})


def is_welcome(scope: dict[str, Any]) -> bool:
    """Whether there is no Origin (RFC 6454 section 7), or exactly one and it is allowed."""
    origins = _origins(scope)
    return not origins or (len(origins) == 1 and is_allowed(origins[0]))


def _origins(scope: dict[str, Any]) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
