"""A minimal Django on real engines, with the test keys in the ring."""

import io
import json
import logging
import os

import django
import pytest
from django.conf import settings

from local.testing import provide_engines
from service_kit.logs import JsonLines, logging_settings
from service_kit.rest import rest_settings

OUR_PAGE = "https://app.example.org"
provide_engines()
settings.configure(
    SECRET_KEY="only-for-these-tests-" + "x" * 30,
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF="shared.tests.site",
    APPEND_SLASH=False,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **{name: os.environ[f"DB_{name}"] for name in ("HOST", "PORT", "NAME", "USER")},
            "PASSWORD": os.environ["DB_PASSWORD"],
            "CONN_MAX_AGE": None,
        }
    },
    REDIS_URL=os.environ["REDIS_URL"],
    ALLOWED_ORIGINS=frozenset({OUR_PAGE}),
    LIMITS={"JSON_BYTES": 64 * 1024, "JSON_DEPTH": 32},
    JWT_ISSUER="parley",
    JWT_AUDIENCE="messaging_service",
    MIDDLEWARE=[
        "service_kit.logs.RequestIdMiddleware",
        "service_kit.caching.NoStoreMiddleware",
        "service_kit.origins.OriginMiddleware",
    ],
    LOGGING=logging_settings("kit", "INFO"),
    REST_FRAMEWORK=rest_settings(),
)
django.setup()


@pytest.fixture(autouse=True)
def _test_keys():
    # Both need the settings above.
    from service_kit.keys import key_ring
    from service_kit.testing import install_test_keys

    key_ring.cache_clear()
    install_test_keys()
    yield
    key_ring.cache_clear()


@pytest.fixture
def dsn():
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER"}
    fields = {key: os.environ[f"DB_{name}"] for key, name in names.items()}
    return {**fields, "password": os.environ["DB_PASSWORD"]}


@pytest.fixture
def lines(monkeypatch):
    """Read what was logged so far, as the objects the lines hold."""
    written = io.StringIO()
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonLines):
            monkeypatch.setattr(handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]
