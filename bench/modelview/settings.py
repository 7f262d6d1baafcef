"""messaging_service's settings, as far as they have a part in answering a GET."""

from service_kit.database import install_time_limit
from service_kit.environment import Environment
from service_kit.logs import logging_settings

env = Environment("messaging_service")

SECRET_KEY = env.secret("SECRET_KEY")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "bench.modelview.urls"
USE_TZ = True
USE_I18N = False
INSTALLED_APPS = ["rest_framework", "bench.modelview"]
MIDDLEWARE = [
    "service_kit.logs.RequestIdMiddleware",
    "service_kit.caching.NoStoreMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
]
LOGGING = logging_settings("modelview", "INFO")
DATABASES = {"default": env.database()}
install_time_limit()

JWT = env.jwt()
JWT_ALGORITHM = JWT["JWT_ALGORITHM"]
JWT_PUBLIC_KEY = JWT["JWT_PUBLIC_KEY"]
JWT_SECRET = JWT["JWT_SECRET"]
JWT_ISSUER = JWT["JWT_ISSUER"]
JWT_AUDIENCE = JWT["JWT_AUDIENCE"]
JWKS_URL = ""
JWKS_CACHE_FILE = ""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["service_kit.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
