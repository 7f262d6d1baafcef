"""A connection that ended while nobody used it fails nobody's request."""

from contextlib import closing

import psycopg2
import pytest
from django.db import DataError, InterfaceError, OperationalError

from service_kit.environment import Environment
from service_kit.postgresql.base import DatabaseWrapper


@pytest.fixture
def connection(monkeypatch, tmp_path, django_db_blocker):
    """Connected as both services are, in one request after the other."""
    for name in ("AUTOCOMMIT", "ATOMIC_REQUESTS"):
        monkeypatch.delenv(name, raising=False)
    settings = Environment("kit", folder=tmp_path).database()
    defaults = {"AUTOCOMMIT": True, "ATOMIC_REQUESTS": False, "TIME_ZONE": None}
    connection = DatabaseWrapper(settings | defaults)
    with django_db_blocker.unblock():
        yield connection
        connection.close()


def begin_request(connection):
    """As Django does when a request begins: django.db.close_old_connections."""
    connection.close_if_unusable_or_obsolete()


def ask(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def end(pid, dsn):
    """End a backend, and return when it is gone."""
    with closing(psycopg2.connect(**dsn)) as link, link.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


class TestConnection:
    def test_is_kept_from_one_request_to_the_next(self, connection):
        pids = set()
        for _ in range(3):
            begin_request(connection)
            pids.add(ask(connection))
        assert len(pids) == 1

    def test_is_replaced_where_it_has_ended(self, connection, dsn):
        begin_request(connection)
        before = ask(connection)
        end(before, dsn)
        begin_request(connection)
        assert ask(connection) != before

    def test_is_replaced_where_a_transaction_failed_that_was_begun_by_hand(self, connection):
        begin_request(connection)
        before = ask(connection)
        with pytest.raises(DataError), connection.cursor() as cursor:
            cursor.execute("BEGIN; SELECT 1 / 0; COMMIT")
        begin_request(connection)
        assert ask(connection) != before

    def test_is_not_looked_at_within_a_request(self, connection, dsn):
        begin_request(connection)
        end(ask(connection), dsn)
        with pytest.raises((OperationalError, InterfaceError)):
            ask(connection)

    def test_that_we_closed_ourselves_is_not_usable(self, connection):
        ask(connection)
        assert connection.is_usable()
        connection.connection.close()
        assert not connection.is_usable()
