"""The buckets in Redis, over a connection of each thread's own."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Any, Final

import hiredis
from redis.exceptions import NoScriptError

from messaging.permissions.limits.bucket import Given
from service_kit.redis_client import connect

# A round trip may need two waits: one to connect and one for the answer.
TIMEOUT_SECONDS: Final = 0.1

# KEYS: buckets. ARGV: microseconds for one token, burst, then how many are asked of each bucket.
# Answers for each: how many it gives, and the microseconds until it has one more. One that
# is emptier than empty is from before the clock went back, and is full.
_TAKE: Final = """
local clock, call = redis.call('TIME'), redis.call
local now = clock[1] * 1000000 + clock[2]
local each, most = tonumber(ARGV[1]), ARGV[1] * ARGV[2]
local held, answer = call('MGET', unpack(KEYS)), {}
for n, key in ipairs(KEYS) do
    local full = tonumber(held[n] or 0)
    if full < now or full > now + most then full = now end
    local given, left = tonumber(ARGV[n + 2]), now + most - full
    if given * each > left then given = math.max(0, (left - left % each) / each) end
    if given > 0 then
        full = full + given * each
        call('SET', key, full, 'PX', math.ceil((full - now) / 1000))
    end
    local wait = full + each - now - most
    answer[2 * n - 1] = given
    answer[2 * n] = wait > 0 and wait or 0
end
return answer
"""
_DIGEST: Final = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


class RedisBuckets:
    """One bucket for each user under `name`; whatever Redis does wrong is raised.

    A thread reads the answer to what it asked before it asks again, or it is lost.
    """

    def __init__(self, name: str, *, per_second: float, burst: int) -> None:
        self._prefix = f"parley:limit:{name}:"
        self._each = max(1, round(1_000_000 / per_second))
        self._burst = burst
        self._links = threading.local()

    def ask(self, asked: Mapping[str, int]) -> None:
        """Write the question and do not wait."""
        if getattr(self._links, "is_waiting", False):
            self.forget()
        self._send("EVALSHA", _DIGEST, asked)

    def read(self, asked: Mapping[str, int]) -> dict[str, Given]:
        """The answer to it."""
        try:
            answer = self._receive()
        except NoScriptError:
            self._send("EVAL", _TAKE, asked)
            answer = self._receive()
        waits = (wait / 1_000_000 for wait in answer[1::2])
        return dict(zip(asked, zip(answer[::2], waits, strict=True), strict=True))

    def forget(self) -> None:
        """What still comes would be taken for the answer to another question."""
        if hasattr(self._links, "link"):
            self._links.link.disconnect()
        self._links.is_waiting = False

    def _send(self, command: str, script: str, asked: Mapping[str, int]) -> None:
        keys = [self._prefix + user_id for user_id in asked]
        words = (command, script, len(keys), *keys, self._each, self._burst, *asked.values())
        link = self._link()
        link.send_packed_command([hiredis.pack_command(words)], check_health=False)  # type: ignore[arg-type]
        self._links.is_waiting = True

    def _receive(self) -> list[int]:
        answer: list[int] = self._link().read_response()
        self._links.is_waiting = False
        return answer

    def _link(self) -> Any:  # noqa: ANN401 - untyped.
        if not hasattr(self._links, "link"):
            pool = connect(timeout=TIMEOUT_SECONDS).connection_pool
            self._links.link = pool.make_connection()
        self._links.link.connect()
        return self._links.link
