"""What Daphne serves."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.tutorial.settings")
http = get_asgi_application()

from bench.tutorial.consumers import ChatConsumer  # noqa: E402 - Django must be set up first.

websocket = URLRouter([re_path(r"^ws/chat/(?P<room_id>\d+)/$", ChatConsumer.as_asgi())])
application = ProtocolTypeRouter({"http": http, "websocket": websocket})
