"""Every setting of auth_service; what differs between machines comes from the environment."""

import sys
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from service_kit import operators
from service_kit.database import install_time_limit
from service_kit.environment import Environment
from service_kit.logs import logging_settings
from service_kit.rest import rest_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment("auth_service")

DEBUG = env.is_debug
SECRET_KEY = env.secret("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
INTERNAL_SECRET = env.secret("INTERNAL_SECRET")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

INSTALLED_APPS = [
    *operators.APPS,
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "accounts",
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
LOGGING = logging_settings("auth_service", env.str("LOG_LEVEL", default="INFO"))

DATABASES = {"default": env.database()}
POSTGRES_MANAGED = env.bool("POSTGRES_MANAGED", default=False)
install_time_limit()

# Where messaging_service is told at once that there are events; without it, at its next poll.
HAS_REDIS = any(env.str(name, default="") for name in ("REDIS_URL", "REDIS_HOST"))
REDIS_URL = env.redis_url() if HAS_REDIS else ""

# Who is asked for its part when somebody takes along all that is kept of him.
MESSAGING_API_URL = env.str("MESSAGING_API_URL", default="http://messaging-service:8080")

# How long a process that was asked to end goes on serving; then sockets are closed over as long.
LEAVING_SECONDS = env.float("LEAVING_SECONDS", default=5.0)

# Traefik sets this header itself and drops what a client sends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# Uploads are held in memory, however large: views refuse what is too large before it is read.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = sys.maxsize
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750

# The pictures people show. Several processes share this folder, on whichever machines they are.
MEDIA_ROOT = env.str("MEDIA_ROOT", default="/var/lib/parley/media")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # A file that was written in part is written again under the same name.
        "OPTIONS": {"allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Full origins of web pages that may use this service: https://app.example.org
ALLOWED_ORIGINS = env.origins("ALLOWED_ORIGINS")
# The admin's, and which cookies need TLS: browsers take loopback for as good.
vars().update(operators.admin_settings("auth", secure=not DEBUG))

AUTH_USER_MODEL = "accounts.User"
# For the admin alone; people log in with accounts.actions.
AUTHENTICATION_BACKENDS = ["accounts.admin.OperatorBackend"]
# The check looks for `unique=True`; usernames are unique by a constraint on their lower case.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
PASSWORD_HASHERS = ["accounts.passwords.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Contract §6, and how often each of them may be tried: see accounts.actions.attempts.
LIMITS = {
    "JSON_BYTES": env.int("LIMIT_JSON_BYTES", default=64 * 1024),
    "JSON_DEPTH": env.int("LIMIT_JSON_DEPTH", default=32),
    "LOGINS_PER_MINUTE": env.int("LIMIT_LOGINS_PER_MINUTE", default=5),
    "LOGINS_PER_ADDRESS": env.int("LIMIT_LOGINS_PER_ADDRESS", default=20),
    "LOGINS_BY_STRANGERS": env.int("LIMIT_LOGINS_BY_STRANGERS", default=100),
    "MAILS_PER_HOUR": env.int("LIMIT_MAILS_PER_HOUR", default=5),
    "MAILS_PER_ADDRESS": env.int("LIMIT_MAILS_PER_ADDRESS", default=100),
    "MAILS_BY_STRANGERS": env.int("LIMIT_MAILS_BY_STRANGERS", default=20),
    "CODES_PER_DAY": env.int("LIMIT_CODES_PER_DAY", default=20),
    "REGISTRATIONS_PER_HOUR": env.int("LIMIT_REGISTRATIONS_PER_HOUR", default=1_000),
    "REFRESHES_PER_MINUTE": env.int("LIMIT_REFRESHES_PER_MINUTE", default=120),
    "EXPORTS_PER_HOUR": env.int("LIMIT_EXPORTS_PER_HOUR", default=5),
    "PICTURES_PER_HOUR": env.int("LIMIT_PICTURES_PER_HOUR", default=30),
    "UPLOAD_BYTES": env.int("LIMIT_UPLOAD_BYTES", default=10_000_000),
    "IMAGE_PIXELS": env.int("LIMIT_IMAGE_PIXELS", default=25_000_000),
}

# Mails go out through a server, or a provider's API (django-anymail); without either nowhere.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.password("EMAIL_HOST_PASSWORD", default="")
# After STARTTLS, or from the first byte.
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured("EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other")
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
ANYMAIL = {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT, **env.credentials("ANYMAIL", default={})}
SENDS_MAIL = bool(EMAIL_HOST) or not EMAIL_BACKEND.endswith(".smtp.EmailBackend")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Parley <parley@localhost>")
# Where links in mails lead: the public entry point.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000")
if not PUBLIC_URL.startswith(("http://", "https://")) or PUBLIC_URL.endswith("/"):
    raise ImproperlyConfigured("PUBLIC_URL must be a full origin: https://app.example.org")
EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="optional")
if EMAIL_VERIFICATION not in {"off", "optional", "required"}:
    raise ImproperlyConfigured("EMAIL_VERIFICATION must be off, optional or required")
if EMAIL_VERIFICATION == "required" and not SENDS_MAIL:
    raise ImproperlyConfigured("EMAIL_VERIFICATION=required needs EMAIL_HOST or EMAIL_BACKEND")

# Idle and absolute life of a session, and the life of what it hands out.
SESSION_SECONDS = env.int("SESSION_SECONDS", default=30 * 24 * 3600)
REFRESH_TOKEN_SECONDS = env.int("REFRESH_TOKEN_SECONDS", default=14 * 24 * 3600)
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=300)

JWT = env.jwt()
JWT_ALGORITHM = JWT["JWT_ALGORITHM"]
JWT_SECRET = JWT["JWT_SECRET"]
JWT_ISSUER = JWT["JWT_ISSUER"]
JWT_AUDIENCE = JWT["JWT_AUDIENCE"]
JWT_PRIVATE_KEY_FILE = "" if JWT_SECRET else env.required("JWT_PRIVATE_KEY_FILE")
TOKEN_AUDIENCES = [JWT_AUDIENCE, "messaging_service"]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    # accounts.keys signs; nothing may fall back on SECRET_KEY, the library's default.
    "SIGNING_KEY": None,
}

REST_FRAMEWORK = rest_settings()
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley: auth_service",
    "DESCRIPTION": "Accounts, sessions and the tokens both services accept.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.http.examples.add_examples",
    ],
}
