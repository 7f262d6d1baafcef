"""Settings of the tutorial's chat; its connections to Postgres stay open."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = ["daphne", "channels", "bench.tutorial"]
ASGI_APPLICATION = "bench.tutorial.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["DB_HOST"],
        "PORT": os.environ["DB_PORT"],
        "NAME": os.environ["DB_NAME"],
        "USER": os.environ["DB_USER"],
        "PASSWORD": os.environ["DB_PASSWORD"],
        "CONN_MAX_AGE": None,
    }
}
# redis-py's own limits end consumers: its time-out is shorter than the layer's blocking reads, and
# each socket waits on a connection of its own.
_REDIS = {"address": os.environ["REDIS_URL"], "socket_timeout": None, "max_connections": 1_000}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [_REDIS]},
    }
}
