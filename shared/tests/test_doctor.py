"""The doctor finds each thing that is broken, and says what to do."""

from contextlib import closing
from io import StringIO

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from service_kit import doctor

WELL = {"POSTGRES_MANAGED": True, "LEAVING_SECONDS": 5.0}


@pytest.fixture(autouse=True)
def _database(django_db_blocker):
    with django_db_blocker.unblock():
        yield
        connection.close()


def look(**settings):
    """What is printed, line by line, and whether all is well."""
    printed = StringIO()
    with override_settings(**WELL | settings):
        try:
            call_command(doctor.Doctor(), stdout=printed)
        except SystemExit:
            return printed.getvalue(), False
    return printed.getvalue(), True


def trouble(name, **settings):
    """The one thing that is wrong, and what to do about it."""
    printed, is_well = look(**settings)
    assert not is_well
    (found,) = [part for part in printed.split("\nFAIL  ")[0:] if "→" in part]
    found = found.removeprefix("FAIL  ")
    assert found.startswith(name)
    what, remedy = found.removeprefix(name).split("→")
    return what.strip(), remedy.split("\n")[0].strip()


def test_is_content_where_all_is_well():
    printed, is_well = look()
    assert is_well
    assert [line.split()[:2] for line in printed.splitlines()] == [
        ["ok", name] for name in doctor.EVERYWHERE
    ]


def test_goes_on_after_a_check_that_breaks(monkeypatch):
    def check_clocks():
        raise KeyError("a secret")

    monkeypatch.setitem(doctor.EVERYWHERE, "clocks", check_clocks)
    printed, is_well = look()
    assert not is_well
    assert "FAIL  clocks      This could not be looked at: KeyError.\n      → Mend" in printed
    assert "a secret" not in printed
    assert printed.count("ok    ") == len(doctor.EVERYWHERE) - 1


class TestSettings:
    def test_debug(self):
        assert trouble("settings", DEBUG=True)[0] == "DEBUG is on."

    def test_any_host(self):
        assert "ALLOWED_HOSTS" in trouble("settings", ALLOWED_HOSTS=["*"])[1]

    def test_a_restart_that_the_gateway_would_notice_too_late(self):
        assert "4 or more" in trouble("settings", LEAVING_SECONDS=3.9)[1]
        assert look(LEAVING_SECONDS=4.0)[1]


class TestPostgres:
    def test_away(self):
        connection.close()
        before = connection.settings_dict["PORT"]
        connection.settings_dict["PORT"] = "1"
        try:
            printed, is_well = look()
        finally:
            connection.settings_dict["PORT"] = before
        assert not is_well
        assert printed.count("Postgres does not answer: OperationalError.") == 4
        assert "DB_HOST" in printed

    def test_almost_full(self, dsn):
        with connection.cursor() as cursor:
            cursor.execute("SHOW max_connections")
            allowed = int(cursor.fetchone()[0])
        links = [psycopg2.connect(**dsn) for _ in range(int(allowed * doctor.FULL))]
        try:
            what, remedy = trouble("database")
        finally:
            for link in links:
                link.close()
        assert f"of {allowed} connections are taken" in what
        assert "max_connections" in remedy

    def test_that_does_not_wait_for_the_disk(self):
        what, remedy = trouble("durability", POSTGRES_MANAGED=False)
        assert "fsync=off" in what
        assert "POSTGRES_MANAGED=true" in remedy

    def test_whose_clock_goes_wrong(self, dsn):
        # What is found first on the path is what the server says.
        with closing(psycopg2.connect(**dsn)) as link, link.cursor() as cursor:
            link.autocommit = True
            cursor.execute(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
                " $$SELECT pg_catalog.clock_timestamp() + interval '3 s'$$"
            )
            connection.close()
            cursor.execute("ALTER ROLE CURRENT_USER SET search_path = public, pg_catalog")
            try:
                what, remedy = trouble("clocks")
            finally:
                cursor.execute("ALTER ROLE CURRENT_USER RESET search_path")
                cursor.execute("DROP FUNCTION public.clock_timestamp()")
        assert "by 3.0 s" in what
        assert "NTP" in remedy


class TestMigrations:
    def test_that_are_missing(self):
        with override_settings(MIGRATION_MODULES={}, INSTALLED_APPS=["django.contrib.sites"]):
            what, remedy = trouble("migrations")
        assert "sites.0001_initial" in what
        assert "manage.py migrate" in remedy


class TestRedis:
    def test_away(self):
        what, remedy = trouble("redis", REDIS_URL="redis://127.0.0.1:1/0")
        assert what == "Redis does not answer: ConnectionError."
        assert "REDIS_URL" in remedy

    @pytest.mark.parametrize("url", ["foo://bar", "redis://here:port/0"])
    def test_whose_address_is_none(self, url):
        what, remedy = trouble("redis", REDIS_URL=url)
        assert what == "REDIS_URL is not the address of a Redis."
        assert "redis://" in remedy

    def test_is_not_looked_for_where_it_is_not_used(self):
        assert "redis       not used" in look(REDIS_URL="")[0]
