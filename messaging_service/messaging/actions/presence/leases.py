"""Leases of connections in Redis: somebody is there while one of his has not run out.

Time is Redis' own. Every call raises a redis error within a second where Redis is away.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from redis import Redis

from messaging.models.presence import CLOCK_KEY, DUE_KEY, HEALER_KEY, leases_key
from service_kit.redis_client import connect

HOLD_SECONDS: Final = 35.0
CLEAN_SECONDS: Final = 2.0
BROKEN_SECONDS: Final = 10.0
# Not asked for so long, Redis was away: leases ran out that nobody could renew, and for a while
# everybody holds his connections again before any is taken for gone.
SILENCE_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 4.0
CHUNK: Final = 500
MOST_LAPSED: Final = 1_000
TIMEOUT_SECONDS: Final = 1.0

T = TypeVar("T")

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_HOLD: Final = f"""{_NOW}
local came = {{}}
for i = 2, #KEYS do
    local at = (i - 2) * 4
    local user, connection, shortens = ARGV[at + 1], ARGV[at + 2], ARGV[at + 4] == '1'
    local ends = now + tonumber(ARGV[at + 3])
    local before = tonumber(redis.call('ZSCORE', KEYS[i], connection) or 0)
    if not shortens or before > ends then
        if tonumber(redis.call('ZSCORE', KEYS[1], user) or 0) <= now then
            came[#came + 1] = user
        end
        redis.call('ZADD', KEYS[i], ends, connection)
        redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
        local latest = redis.call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')[2]
        redis.call('ZADD', KEYS[1], latest, user)
        redis.call('PEXPIREAT', KEYS[i], latest + 60000)
    end
end
return came
"""

_LAPSE: Final = f"""{_NOW}
local since, asked, resumed = unpack(redis.call('HMGET', KEYS[2], 'since', 'asked', 'resumed'))
if not since then
    since = now
    redis.call('HSET', KEYS[2], 'since', since)
end
if not asked or now - asked > tonumber(ARGV[1]) then
    resumed = now
    redis.call('HSET', KEYS[2], 'resumed', resumed)
end
redis.call('HSET', KEYS[2], 'asked', now)
if now - resumed < tonumber(ARGV[2]) then
    return {{tostring(since), {{}}}}
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])
for _, user in ipairs(gone) do
    redis.call('ZREM', KEYS[1], user)
    redis.call('DEL', ARGV[4] .. user)
end
return {{tostring(since), gone}}
"""


class Lease(NamedTuple):
    """Hold a connection for so long; or, if it `shortens`, for no longer, if at all."""

    user_id: str
    connection_id: str
    seconds: float
    shortens: bool = False


class Exchange(NamedTuple):
    """What Redis said: who was not held before, whose last lease was over, and which Redis it is.

    `redis` changes where Redis has lost what it knew; "" where it was not asked for.
    """

    came: list[str]
    gone: list[str]
    redis: str


class Sight(NamedTuple):
    """Who is held, how old this Redis' knowledge is, and whether who is not held is really gone."""

    held: set[str]
    seconds: float
    is_calm: bool


@cache
def client() -> Redis:
    """This process's connections to Redis for presence."""
    return connect(timeout=TIMEOUT_SECONDS)


def exchange(leases: Sequence[Lease], *, lapse: bool) -> Exchange:
    """Hold leases and, if asked, take those whose every lease is over: each is given out once."""
    with client().pipeline(transaction=False) as pipeline:
        for chunk in _chunks(leases):
            pipeline.eval(_HOLD, 1 + len(chunk), *_keys(chunk), *_values(chunk))
        if lapse:
            limits = (_ms(SILENCE_SECONDS), _ms(GRACE_SECONDS), MOST_LAPSED, leases_key(""))
            pipeline.eval(_LAPSE, 2, DUE_KEY, CLOCK_KEY, *limits)
        answers: list[Any] = pipeline.execute()
    redis, gone = answers.pop() if lapse else (b"", [])
    came = [user for users in answers for user in users]
    return Exchange(_text(came), _text(gone), redis.decode())


def see(user_ids: Sequence[str]) -> Sight:
    """Which of these people hold a lease now."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hmget(CLOCK_KEY, "since", "asked", "resumed")
        for chunk in _chunks(user_ids):
            pipeline.zmscore(DUE_KEY, list(chunk))
        (seconds, micros), marks, *scores = pipeline.execute()
    now = seconds + micros / 1_000_000
    # Where nobody has asked yet, this Redis knows nothing: as if it had begun now.
    since, resumed = (now - float(mark) / 1000 if mark else 0.0 for mark in marks[::2])
    is_calm = (
        marks[1] and now - float(marks[1]) / 1000 < SILENCE_SECONDS and resumed > GRACE_SECONDS
    )
    found = [score for chunk in scores for score in chunk]
    held = {user for user, end in zip(user_ids, found, strict=True) if end and end > now * 1000}
    return Sight(held, since, bool(is_calm))


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
