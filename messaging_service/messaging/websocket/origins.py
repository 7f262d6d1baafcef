"""Which web pages may open sockets: browsers say where a page came from, other clients do not."""

from typing import Any, Final

from channels.middleware import BaseMiddleware
from django.conf import settings

from messaging.websocket.authentication import Receive, Send

ALLOWED: Final = frozenset(origin.lower().rstrip("/") for origin in settings.ALLOWED_ORIGINS)


class OriginMiddleware(BaseMiddleware):
    """Refuses a foreign page before the upgrade: a close before accept is HTTP 403."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if is_welcome(scope):
            await super().__call__(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})


def is_welcome(scope: dict[str, Any]) -> bool:
    """Whether there is no Origin (RFC 6454 section 7), or exactly one and it is allowed."""
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    return not origins or (len(origins) == 1 and origins[0].decode("latin-1").lower() in ALLOWED)
