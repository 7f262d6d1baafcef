"""What is told between processes, heard at Redis itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from redis import Redis


@contextmanager
def listen(channel: str) -> Iterator[Callable[[], bytes]]:
    """Hear what is published on a channel: each call gives the next of it."""
    with Redis.from_url(settings.REDIS_URL) as redis, redis.pubsub() as ear:
        ear.subscribe(channel)
        ear.get_message(timeout=5)

        def hear() -> bytes:
            message = ear.get_message(timeout=5)
            assert message is not None, "nothing was published"
            data: bytes = message["data"]
            return data

        yield hear
