"""Every path of the WebSocket door."""

from channels.routing import URLRouter
from django.urls import re_path

from messaging.websocket.authentication import CredentialMiddleware
from messaging.websocket.sockets import room_socket, unknown_path

websocket = CredentialMiddleware(
    URLRouter(
        [
            re_path(r"^ws/chat/(?P<room_id>[0-9]{1,19})/$", room_socket),
            re_path(r"", unknown_path),
        ]
    )
)
