"""Leases of connections in Redis: somebody is there while one of his has not run out.

Time is Redis' own. Every call raises a redis error within a second where Redis is away.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from redis import Redis
from redis.client import Pipeline

from messaging.actions.presence.scripts import HOLD, LAPSE
from messaging.models.presence import (
    CLOCK_KEY,
    DUE_KEY,
    HEALER_KEY,
    PROCESSES_KEY,
    leases_key,
)
from service_kit.redis_client import connect

HOLD_SECONDS: Final = 35.0
CLEAN_SECONDS: Final = 2.0
BROKEN_SECONDS: Final = 10.0
# Not asked for so long, Redis was away: leases ran out that nobody could renew. None is taken for
# over until a while has passed and every process holds its connections again; one that does not in
# the longest while has crashed.
SILENCE_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 4.0
LONGEST_GRACE_SECONDS: Final = 15.0
CHUNK: Final = 500
MOST_LAPSED: Final = 1_000
TIMEOUT_SECONDS: Final = 1.0

T = TypeVar("T")


class Lease(NamedTuple):
    """Hold a connection for so long; or, if it `shortens`, for no longer, if at all."""

    user_id: str
    connection_id: str
    seconds: float
    shortens: bool = False


class Exchange(NamedTuple):
    """What Redis said: who was not held before, whose last lease was over, and which Redis it is.

    `redis` changes where Redis has lost what it knew, or leases may have run out because it was
    away, even if this process has not noticed: hold everything again. "" where it was not asked.
    """

    came: list[str]
    gone: list[str]
    redis: str


class Process(NamedTuple):
    """Who asks, and which Redis it has told everything it holds."""

    process_id: str
    redis: str


_NOBODY: Final = Process("", "")


class Sight(NamedTuple):
    """Who is held, how old this Redis' knowledge is, and whether who is not held is really gone."""

    held: set[str]
    seconds: float
    is_calm: bool


@cache
def client() -> Redis:
    """This process's connections to Redis for presence."""
    return connect(timeout=TIMEOUT_SECONDS)


def exchange(leases: Sequence[Lease], *, lapse: bool, by: Process = _NOBODY) -> Exchange:
    """Hold leases and, if asked, take those whose every lease is over: each is given out once."""
    with client().pipeline(transaction=False) as pipeline:
        _hold(pipeline, leases)
        if lapse:
            keys = (DUE_KEY, CLOCK_KEY, PROCESSES_KEY)
            times = map(_ms, (SILENCE_SECONDS, GRACE_SECONDS, LONGEST_GRACE_SECONDS))
            pipeline.eval(LAPSE, len(keys), *keys, *times, MOST_LAPSED, leases_key(""), *by)
        answers: list[Any] = pipeline.execute()
    redis, gone = answers.pop() if lapse else (b"", [])
    came = [user for users in answers for user in users]
    return Exchange(_text(came), _text(gone), redis.decode())


def leave(leases: Sequence[Lease], *, process_id: str) -> None:
    """Hold leases for the last time: nobody waits for this process any more."""
    with client().pipeline(transaction=False) as pipeline:
        _hold(pipeline, leases)
        pipeline.zrem(PROCESSES_KEY, process_id)
        pipeline.execute()


def _hold(pipeline: Pipeline, leases: Sequence[Lease]) -> None:
    for chunk in _chunks(leases):
        pipeline.eval(HOLD, 1 + len(chunk), *_keys(chunk), *_values(chunk))


def see(user_ids: Sequence[str]) -> Sight:
    """Which of these people hold a lease now."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hmget(CLOCK_KEY, "since", "asked", "calm")
        for chunk in _chunks(user_ids):
            pipeline.zmscore(DUE_KEY, list(chunk))
        (seconds, micros), marks, *scores = pipeline.execute()
    now = seconds + micros / 1_000_000
    # Where nobody has asked yet, this Redis knows nothing: as if it had begun now.
    since, asked = (now - float(mark) / 1000 if mark else 0.0 for mark in marks[:2])
    is_calm = marks[2] == b"1" and abs(asked) < SILENCE_SECONDS
    found = [score for chunk in scores for score in chunk]
    held = {user for user, end in zip(user_ids, found, strict=True) if end and end > now * 1000}
    return Sight(held, since, is_calm)


def held_people(place: int, *, limit: int) -> list[str]:
    """Everybody with a lease, a page from this place on; empty at the end."""
    found: Any = client().zrange(DUE_KEY, place, place + limit - 1)
    return _text(found)


def may_heal(seconds: float) -> bool:
    """Whether this process is the one to compare the stores now; true once in so many seconds."""
    return bool(client().set(HEALER_KEY, b"1", nx=True, px=_ms(seconds)))


def _keys(chunk: Sequence[Lease]) -> list[str]:
    return [DUE_KEY, *(leases_key(lease.user_id) for lease in chunk)]


def _values(chunk: Sequence[Lease]) -> Iterator[str | int]:
    for lease in chunk:
        yield from (lease.user_id, lease.connection_id, _ms(lease.seconds), int(lease.shortens))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _text(found: Sequence[bytes]) -> list[str]:
    return [each.decode() for each in found]
