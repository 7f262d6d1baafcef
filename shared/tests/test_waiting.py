"""A container waits for Postgres, but not for ever; tests of the whole system see it wait."""

import pytest
from django.db import OperationalError, connection

from local.ports import free_ports
from service_kit.waiting import wait_for_postgres


@pytest.fixture
def database(django_db_blocker, monkeypatch):
    connection.close()
    with django_db_blocker.unblock():
        yield connection.settings_dict
    connection.close()


class TestWaitForPostgres:
    def test_returns_when_it_answers_and_keeps_no_connection(self, database):
        wait_for_postgres(seconds=5)
        assert connection.connection is None

    def test_gives_up_with_what_postgres_said(self, database, monkeypatch, capsys):
        monkeypatch.setitem(database, "PORT", str(free_ports(1)[0]))
        with pytest.raises(OperationalError, match="refused"):
            wait_for_postgres(seconds=0.6)
        assert capsys.readouterr().err.count("waiting for Postgres: ") == 1
