"""Connections to Redis that give up in time."""

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0

# No store we run on announces its maintenance; and what would hear of it makes a cycle with each
# connection, which is then closed when the garbage collector comes by, not when it is dropped.
_UNANNOUNCED = MaintNotificationsConfig(enabled=False)


def connect(*, timeout: float = TIMEOUT_SECONDS) -> redis.Redis:
    """Open a pool to settings.REDIS_URL; every wait ends after `timeout` seconds, no retries.

    Keep what it returns: each call makes a new pool. Commands raise redis ConnectionError or
    TimeoutError, which `as_refusal` knows.
    """
    return redis.Redis.from_url(
        _url(),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=_UNANNOUNCED,
    )


def connect_async(
    *, timeout: float | None = TIMEOUT_SECONDS, connect_timeout: float = TIMEOUT_SECONDS
) -> redis.asyncio.Redis:
    """Open an asyncio pool as `connect` does; subscribers pass `timeout=None` to listen for long.

    Never cancel a command in flight: its reply would go to whoever uses the connection next.
    """
    return redis.asyncio.Redis.from_url(
        _url(),
        socket_timeout=timeout,
        socket_connect_timeout=connect_timeout,
        retry=AsyncRetry(NoBackoff(), 0),
        maint_notifications_config=_UNANNOUNCED,
    )


def _url() -> str:
    # Only a service that uses Redis has the setting, so no type checker may ask for it.
    return str(getattr(settings, "REDIS_URL"))  # noqa: B009
