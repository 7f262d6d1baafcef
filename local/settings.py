"""The settings both services get in a local system: contract §7, filled with what was started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from local.mailbox import Mailbox
    from local.postgres import Postgres
    from local.redis import Redis
    from local.secrets import Secrets

# What people type, and what Traefik calls itself when it looks whether a server is up.
HOSTS = "localhost,127.0.0.1,[::1],authservice,messaging-service"


def auth_settings(
    *,
    secrets: Secrets,
    postgres: Postgres,
    redis: Redis,
    mailbox: Mailbox,
    home: Path,
    messaging_port: int,
    port: int,
) -> dict[str, str]:
    return {
        **_shared_settings(secrets=secrets, postgres=postgres, redis=redis, port=port),
        "SECRET_KEY": secrets.auth_django,
        "DB_NAME": "auth",
        "DB_USER": "auth",
        "DB_PASSWORD": secrets.auth_database,
        "JWT_PRIVATE_KEY_FILE": str(home / "jwt-private-key.pem"),
        "MEDIA_ROOT": str(home / "media"),
        "MESSAGING_API_URL": f"http://{LOOPBACK}:{messaging_port}",
        "EMAIL_HOST": LOOPBACK,
        "EMAIL_PORT": str(mailbox.smtp_port),
        "PUBLIC_URL": f"http://localhost:{port}",
    }


def messaging_settings(
    *, secrets: Secrets, postgres: Postgres, redis: Redis, home: Path, auth_port: int, port: int
) -> dict[str, str]:
    return {
        **_shared_settings(secrets=secrets, postgres=postgres, redis=redis, port=port),
        "SECRET_KEY": secrets.messaging_django,
        "DB_NAME": "messaging",
        "DB_USER": "messaging",
        "DB_PASSWORD": secrets.messaging_database,
        "AUTH_API_URL": f"http://{LOOPBACK}:{auth_port}",
        "JWKS_CACHE_FILE": str(home / "messaging-jwks.json"),
    }


def _shared_settings(
    *, secrets: Secrets, postgres: Postgres, redis: Redis, port: int
) -> dict[str, str]:
    return {
        "ALLOWED_HOSTS": HOSTS,
        "ALLOWED_ORIGINS": f"http://localhost:{port},http://{LOOPBACK}:{port}",
        "DB_HOST": LOOPBACK,
        "DB_PORT": str(postgres.port),
        "REDIS_HOST": LOOPBACK,
        "REDIS_PORT": str(redis.port),
        "REDIS_URL": redis.url,
        "INTERNAL_SECRET": secrets.between_services,
        # Ctrl-C stops at once.
        "LEAVING_SECONDS": "0",
    }
