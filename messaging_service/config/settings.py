"""Every setting of messaging_service; what differs between machines comes from the environment."""

from service_kit import operators
from service_kit.database import install_time_limit
from service_kit.environment import Environment
from service_kit.logs import logging_settings
from service_kit.rest import rest_settings

env = Environment("messaging_service")

DEBUG = env.is_debug
SECRET_KEY = env.secret("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
INTERNAL_SECRET = env.secret("INTERNAL_SECRET")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

INSTALLED_APPS = [
    "daphne",
    *operators.APPS,
    "channels",
    "rest_framework",
    "drf_spectacular",
    "messaging",
]
MIDDLEWARE = [
    "service_kit.logs.RequestIdMiddleware",
    "service_kit.metrics.MetricsMiddleware",
    "service_kit.caching.NoStoreMiddleware",
    "service_kit.origins.OriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    *operators.MIDDLEWARE,
]
LOGGING = logging_settings("messaging_service", env.str("LOG_LEVEL", default="INFO"))

DATABASES = {"default": env.database()}
POSTGRES_MANAGED = env.bool("POSTGRES_MANAGED", default=False)
install_time_limit()
REDIS_URL = env.redis_url()
# Only what socket processes tell each other to do; what happens in rooms goes past it.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": 1, "socket_connect_timeout": 1}],
            "prefix": "parley",
        },
    }
}
# Threads of a socket process that use the database for sockets, each with a connection of its own.
SOCKET_DATABASE_THREADS = env.int("SOCKET_DATABASE_THREADS", default=4)

# How long a process that was asked to end goes on serving; then sockets are closed over as long.
LEAVING_SECONDS = env.float("LEAVING_SECONDS", default=5.0)

# Traefik sets this header itself and drops what a client sends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# Full origins of web pages that may use this service: https://app.example.org
ALLOWED_ORIGINS = env.origins("ALLOWED_ORIGINS")
# Operators have accounts of their own here; people's are in auth_service.
vars().update(operators.admin_settings("chat", secure=not DEBUG))
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# For the admin alone; people come with the tokens of auth_service.
AUTHENTICATION_BACKENDS = ["messaging.admin.OperatorBackend"]

AUTH_API_URL = env.str("AUTH_API_URL", default="http://authservice:8080")
JWT = env.jwt()
JWT_ALGORITHM = JWT["JWT_ALGORITHM"]
JWT_PUBLIC_KEY = JWT["JWT_PUBLIC_KEY"]
JWT_SECRET = JWT["JWT_SECRET"]
JWT_ISSUER = JWT["JWT_ISSUER"]
JWT_AUDIENCE = JWT["JWT_AUDIENCE"]
JWKS_URL = f"{AUTH_API_URL.rstrip('/')}/.well-known/jwks.json"
JWKS_CACHE_FILE = env.str("JWKS_CACHE_FILE", default="")

# Who may write to whom directly: anyone to anyone, or only contacts to each other.
DIRECT_MESSAGES = env.str("DIRECT_MESSAGES", default="anyone", choices=["anyone", "contacts"])

# Contract §6. Lengths are in code points, sizes in bytes of UTF-8.
LIMITS = {
    "JSON_BYTES": env.int("LIMIT_JSON_BYTES", default=64 * 1024),
    "JSON_DEPTH": env.int("LIMIT_JSON_DEPTH", default=32),
    "MESSAGE_LENGTH": env.int("LIMIT_MESSAGE_LENGTH", default=4_000),
    "MESSAGE_BYTES": env.int("LIMIT_MESSAGE_BYTES", default=16 * 1024),
    "HISTORY_PAGE": env.int("LIMIT_HISTORY_PAGE", default=100),
    "ROOMS_PER_USER": env.int("LIMIT_ROOMS_PER_USER", default=1_000),
    "MESSAGES_PER_SECOND": env.float("LIMIT_MESSAGES_PER_SECOND", default=5.0),
    "MESSAGE_BURST": env.int("LIMIT_MESSAGE_BURST", default=20),
    "COMMANDS_PER_SECOND": env.float("LIMIT_COMMANDS_PER_SECOND", default=20.0),
    "COMMAND_BURST": env.int("LIMIT_COMMAND_BURST", default=40),
    "CONTACT_REQUESTS_PER_HOUR": env.int("LIMIT_CONTACT_REQUESTS_PER_HOUR", default=50),
    "SOCKETS_PER_USER": env.int("LIMIT_SOCKETS_PER_USER", default=20),
}

REST_FRAMEWORK = rest_settings(authentication="messaging.http.authentication.CallerAuthentication")
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley: messaging_service",
    "DESCRIPTION": "Rooms, messages and everything people do in a conversation.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/chat/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "messaging.http.examples.add_examples",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
}
