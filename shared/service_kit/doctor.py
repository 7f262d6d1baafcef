"""What `manage.py doctor` looks at: all that a process of ours needs, each with what to do."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from service_kit.database import assert_durable, time_limit
from service_kit.fetching import WrongStatusError
from service_kit.redis_client import connect

PATIENCE_SECONDS = 3.0
LARGEST_DIFFERENCE_SECONDS = 2.0
# Of all connections Postgres allows, so many may be taken.
FULL = 0.9
# The gateway looks every three seconds whether a server is still there.
SHORTEST_LEAVING_SECONDS = 4.0


class TroubleError(Exception):
    """Something is not as it must be; says what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


Checks = Mapping[str, Callable[[], str]]


class Doctor(BaseCommand):
    """A service's command: `checks` are those of its own, each of which may raise TroubleError."""

    help = "Look at everything this service needs. Exit code 1 if something must be mended."
    requires_system_checks = ()
    checks: Checks = {}

    def handle(self, *_: object, **__: object) -> None:
        checks = {**EVERYWHERE, **self.checks}
        found = [self._look(name, check) for name, check in checks.items()]
        if not all(found):
            raise SystemExit(1)

    def _look(self, name: str, check: Callable[[], str]) -> bool:
        try:
            with time_limit(PATIENCE_SECONDS):
                self.stdout.write(f"ok    {name:<11} {_run(check)}")
        except TroubleError as trouble:
            self.stdout.write(f"FAIL  {name:<11} {trouble}\n      → {trouble.remedy}")
            return False
        return True


def _run(check: Callable[[], str]) -> str:
    """Whatever goes wrong with one check, the others are made; no value of a setting is shown."""
    try:
        return check()
    except TroubleError:
        raise
    except ImproperlyConfigured as error:
        raise TroubleError(f"{error}.", "See the environment, and shared/configs/env/.") from error
    except Exception as error:
        raise TroubleError(
            f"This could not be looked at: {type(error).__name__}.",
            "Mend what else is found, and look again; if it stays, this is a bug: report it.",
        ) from error


def check_settings() -> str:
    if settings.DEBUG:
        raise TroubleError("DEBUG is on.", "Set DEBUG=false where anybody is served.")
    if "*" in settings.ALLOWED_HOSTS:
        raise TroubleError("Every Host is allowed.", "Name those you serve in ALLOWED_HOSTS.")
    if settings.LEAVING_SECONDS < SHORTEST_LEAVING_SECONDS:
        raise TroubleError(
            f"LEAVING_SECONDS is {settings.LEAVING_SECONDS:g}: the gateway still sends requests.",
            f"Set it to {SHORTEST_LEAVING_SECONDS:g} or more, unless nobody minds a restart.",
        )
    return "complete, and no placeholder"


def check_database() -> str:
    taken, allowed = ask_postgres(
        "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
        " WHERE backend_type = 'client backend'"
    )
    told = f"{taken} of {allowed} connections are taken"
    if taken > FULL * allowed:
        raise TroubleError(f"{told}.", "Raise max_connections, or run fewer processes or threads.")
    return told


def check_durability() -> str:
    ask_postgres("SELECT 1")
    try:
        with connection.cursor() as cursor:
            assert_durable(cursor)
    except ImproperlyConfigured as error:
        what, _, remedy = str(error).partition(": ")
        raise TroubleError(f"{what}.", f"{remedy[:1].upper()}{remedy[1:]}") from error
    managed = getattr(settings, "POSTGRES_MANAGED", False)
    return "vouched for by POSTGRES_MANAGED" if managed else "what is acknowledged is on disk"


def check_clocks() -> str:
    before = time.time()
    (theirs,) = ask_postgres("SELECT extract(epoch FROM clock_timestamp())::float")
    difference = theirs - (before + time.time()) / 2
    if abs(difference) > LARGEST_DIFFERENCE_SECONDS:
        raise TroubleError(
            f"Postgres' clock differs from this one by {difference:.1f} s.",
            "Keep both machines' clocks with NTP: tokens would count as expired, or not begun.",
        )
    return f"{abs(difference) * 1000:.0f} ms apart from Postgres"


def check_redis() -> str:
    if not getattr(settings, "REDIS_URL", ""):
        return "not used"
    try:
        store = connect(timeout=PATIENCE_SECONDS)
    except ValueError as error:
        raise TroubleError(
            "REDIS_URL is not the address of a Redis.",
            "Set it to redis://:password@host:6379/0, or rediss://… where it speaks TLS.",
        ) from error
    try:
        store.ping()
    except redis.RedisError as error:
        raise TroubleError(
            f"Redis does not answer: {type(error).__name__}.",
            "Start it, and see to REDIS_URL, or REDIS_HOST and REDIS_PORT.",
        ) from error
    return "answers"


def check_migrations() -> str:
    ask_postgres("SELECT 1")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing[:3])
        raise TroubleError(
            f"{len(missing)} migrations are not applied: {names} …",
            "Run `python manage.py migrate` before this version serves.",
        )
    return f"all {len(executor.loader.applied_migrations or ())} are applied"


EVERYWHERE: Checks = {
    "settings": check_settings,
    "database": check_database,
    "durability": check_durability,
    "clocks": check_clocks,
    "redis": check_redis,
    "migrations": check_migrations,
}


def ask_postgres(sql: str) -> tuple[Any, ...]:
    """Return the first row; TroubleError where there is no Postgres."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row: tuple[Any, ...] = cursor.fetchone()
    except Exception as error:
        connection.close()
        raise TroubleError(
            f"Postgres does not answer: {type(error).__name__}.",
            "Start it, and see to DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD.",
        ) from error
    return row


def status_of(setting: str, ask: Callable[[], object]) -> int:
    """Return what the other service answers; TroubleError where it is not to be reached."""
    try:
        ask()
    except WrongStatusError as error:
        return error.status
    except (OSError, HTTPException, ValueError) as error:
        raise TroubleError(
            f"Nothing that can be understood answers at {setting}: {type(error).__name__}.",
            f"Start the other service, and see to {setting}.",
        ) from error
    return HTTPStatus.OK


def stranger(setting: str, status: int) -> TroubleError:
    """What is wrong where somebody answers who is not the other service, or knows no such name."""
    return TroubleError(
        f"Who answers at {setting} says {status}.",
        "Let it lead to the other service itself, past the gateway, by a name in its"
        " ALLOWED_HOSTS, and look at that service's log.",
    )
