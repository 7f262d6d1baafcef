"""Every path of the WebSocket door."""

from channels.routing import URLRouter
from django.urls import re_path

from messaging.websocket.authentication import CredentialMiddleware
from messaging.websocket.origins import OriginMiddleware
from messaging.websocket.sockets import (
    notifications_socket,
    room_socket,
    rooms_socket,
    unknown_path,
)

websocket = OriginMiddleware(
    CredentialMiddleware(
        URLRouter(
            [
                # Django's types know only views here; Channels' router takes ASGI applications.
                re_path(r"^ws/chat/(?P<room_id>[0-9]{1,19})/$", room_socket),  # type: ignore[arg-type]
                re_path(r"^ws/chat/$", rooms_socket),  # type: ignore[arg-type]
                re_path(r"^ws/notifications/$", notifications_socket),  # type: ignore[arg-type]
                re_path(r"", unknown_path),  # type: ignore[arg-type]
            ]
        )
    )
)
