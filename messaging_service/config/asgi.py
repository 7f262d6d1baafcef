"""What uvicorn serves, and Daphne under `runserver`: `uvicorn config.asgi:application`."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from config.startup import prepare  # noqa: E402 - Django must be set up first.
from messaging.websocket.lifespan import lifespan  # noqa: E402
from messaging.websocket.routing import websocket  # noqa: E402

prepare()
application = ProtocolTypeRouter({"http": http, "websocket": websocket, "lifespan": lifespan})
