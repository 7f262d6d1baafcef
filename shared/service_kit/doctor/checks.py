"""What every process of ours needs, each in a function that says what it found."""

import time
from collections.abc import Callable, Mapping

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from service_kit.database import assert_durable
from service_kit.doctor.trouble import PATIENCE_SECONDS, TroubleError, ask_postgres
from service_kit.redis_client import connect

LARGEST_DIFFERENCE_SECONDS = 2.0
# Of all connections Postgres allows, so many may be taken.
FULL = 0.9
# The gateway looks every three seconds whether a server is still there.
SHORTEST_LEAVING_SECONDS = 4.0

Checks = Mapping[str, Callable[[], str]]


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
