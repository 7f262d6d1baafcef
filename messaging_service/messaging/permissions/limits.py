"""How often somebody may ask: buckets shared by all processes and doors, and a socket's own.

Bucket        in memory, for what only one process sees: the commands of a socket
SharedLimit   in Redis, for what many see: the messages of a person

A bucket that is shared is a time (GCRA): the moment at which it will be full again. With Redis away
or slow each process counts for itself, so a limit never refuses because of Redis.
"""

import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from time import monotonic
from typing import Any, Final

import hiredis
from django.conf import settings
from redis.exceptions import NoScriptError

from messaging.errors import RateLimited
from service_kit.redis_client import connect

logger: Final = logging.getLogger(__name__)

# A round trip may need two waits: one to connect and one for the answer.
TIMEOUT_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 1.0
MOST_REMEMBERED: Final = 10_000

# KEYS: buckets. ARGV: seconds for one token, burst, then how many are asked of each bucket.
# Answers for each: how many it gives, and the seconds until it has one more.
_TAKE: Final = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local each, burst, answer = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
local held = redis.call('MGET', unpack(KEYS))
for n, key in ipairs(KEYS) do
    local full = math.max(now, tonumber(held[n] or 0))
    local left = math.floor((now - full) / each + burst + 0.001)
    local given = math.max(0, math.min(tonumber(ARGV[n + 2]), left))
    if given > 0 then
        full = full + given * each
        redis.call('SET', key, string.format('%.6f', full), 'PX', math.ceil((full - now) * 1000))
    end
    answer[2 * n - 1] = given
    answer[2 * n] = string.format('%.6f', math.max(0, full + each - now - burst * each))
end
return answer
"""

_TAKE_DIGEST: Final = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()

Given = tuple[int, float]
"""How many of what was asked, and the seconds until there is one more."""


class Bucket:
    """Holds `burst` tokens at most, and gets `per_second` new ones."""

    __slots__ = ("_burst", "_each", "_full")

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._each = 1 / per_second
        self._burst = burst
        self._full = 0.0

    def take(self) -> float:
        """Take one: 0.0, or the seconds to wait if there is none."""
        given, wait = self.give(1)
        return 0.0 if given else wait

    def give(self, asked: int) -> Given:
        """Take as many as there are of what is asked."""
        now = monotonic()
        full = max(now, self._full)
        given = max(0, min(asked, int((now - full) / self._each + self._burst + 0.001)))
        self._full = full + given * self._each
        return given, max(0.0, self._full + self._each - now - self._burst * self._each)


class SharedLimit:
    """One bucket for each user, the same for all processes; safe to use from many threads."""

    def __init__(self, name: str, *, per_second: float, burst: int) -> None:
        self._name = name
        self._per_second = per_second
        self._burst = burst
        self._own: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()
        self._links = threading.local()
        self._closed_until = 0.0

    def take(self, user_id: str) -> None:
        """Take one; raises RateLimited."""
        given, wait = self.take_many({user_id: 1})[user_id]
        if not given:
            raise RateLimited(wait)

    def take_many(self, asked: Mapping[str, int]) -> dict[str, Given]:
        """Take some for each user, in one round trip; never raises, never waits long."""
        if self.is_alone:
            return self._take_here(asked)
        try:
            return self._take_there(asked)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, somebody is waiting.
            self._forget_link()
            self._closed_until = monotonic() + PAUSE_SECONDS
            logger.warning("Counting alone for %.0f s: %s", PAUSE_SECONDS, type(error).__name__)
            return self._take_here(asked)

    @property
    def is_alone(self) -> bool:
        """Whether this process counts for itself, because Redis failed a moment ago."""
        return monotonic() < self._closed_until

    def _take_here(self, asked: Mapping[str, int]) -> dict[str, Given]:
        with self._lock:
            return {user_id: self._bucket(user_id).give(n) for user_id, n in asked.items()}

    def _bucket(self, user_id: str) -> Bucket:
        bucket = self._own.get(user_id)
        if bucket is None:
            bucket = Bucket(per_second=self._per_second, burst=self._burst)
            self._own[user_id] = bucket
            if len(self._own) > MOST_REMEMBERED:
                self._own.popitem(last=False)
        self._own.move_to_end(user_id)
        return bucket

    def _take_there(self, asked: Mapping[str, int]) -> dict[str, Given]:
        try:
            answer = self._call("EVALSHA", _TAKE_DIGEST, asked)
        except NoScriptError:
            answer = self._call("EVAL", _TAKE, asked)
        pairs = zip(answer[::2], map(float, answer[1::2]), strict=True)
        return dict(zip(asked, pairs, strict=True))

    def _call(self, command: str, script: str, asked: Mapping[str, int]) -> list[Any]:
        link = self._link()
        keys = [f"parley:limit:{self._name}:{user_id}" for user_id in asked]
        numbers = [1 / self._per_second, self._burst, *asked.values()]
        packed = hiredis.pack_command((command, script, len(keys), *keys, *numbers))  # type: ignore[arg-type]
        link.send_packed_command([packed], check_health=False)
        answer: list[Any] = link.read_response()
        return answer

    def _link(self) -> Any:  # noqa: ANN401 - untyped.
        """This thread's own connection, connected."""
        if not hasattr(self._links, "link"):
            pool = connect(timeout=TIMEOUT_SECONDS).connection_pool
            self._links.link = pool.make_connection()
        self._links.link.connect()
        return self._links.link

    def _forget_link(self) -> None:
        """What still comes over it would be taken for the answer to another question."""
        if hasattr(self._links, "link"):
            self._links.link.disconnect()


@cache
def message_limit() -> SharedLimit:
    """What everybody may send, in all processes and through all doors together."""
    return SharedLimit(
        "messages",
        per_second=settings.LIMITS["MESSAGES_PER_SECOND"],
        burst=settings.LIMITS["MESSAGE_BURST"],
    )


def command_bucket() -> Bucket:
    """What one socket may ask; make one for each."""
    return Bucket(
        per_second=settings.LIMITS["COMMANDS_PER_SECOND"], burst=settings.LIMITS["COMMAND_BURST"]
    )


# A child must not talk over its parent's connections.
os.register_at_fork(after_in_child=message_limit.cache_clear)
