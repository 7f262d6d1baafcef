"""What every process of this service does before it serves."""

from django.db import connection

from messaging.actions.erasing import follow_erasures
from messaging.actions.sessions import follow
from service_kit.database import assert_durable
from service_kit.keys import key_ring


def prepare() -> None:
    """Refuse a Postgres that may forget, and load the keys and which sessions have ended.

    Raises ImproperlyConfigured.
    """
    with connection.cursor() as cursor:
        assert_durable(cursor)
    follow()
    follow_erasures()
    connection.close()
    key_ring().start()
