"""How many sockets somebody holds open, in all processes together."""

import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

from django.conf import settings

from service_kit.redis_client import connect

LEASE_SECONDS: Final = 10
_KEPT_SECONDS: Final = 24 * 60 * 60

# KEYS: one person's sockets by the time they were opened. ARGV: time, socket, limit, seconds.
# A socket is `<process>:<id>`, and none at all once its process' lease has run out. Answers with
# the oldest that are too many, which are none from here on.
_OPEN: Final = """
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local most, held, over = tonumber(ARGV[3]), {}, {}
if redis.call('ZCARD', KEYS[1]) <= most then return over end
for _, socket in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local process = string.match(socket, '^[^:]+')
    if redis.call('EXISTS', 'parley:process:' .. process) == 1 then
        held[#held + 1] = socket
    else
        redis.call('ZREM', KEYS[1], socket)
    end
end
for n = 1, #held - most do
    redis.call('ZREM', KEYS[1], held[n])
    over[n] = held[n]
end
return over
"""


class OpenSocket(NamedTuple):
    """A socket; its id is unlike any other's, in every process."""

    id: str
    user_id: str
    opened_at: float


class Counted(NamedTuple):
    """The sockets that are too many; `lost`: Redis knows nothing of this process' others."""

    too_many: list[str]
    lost: bool


class SocketCount:
    """The sockets of this process among those of all; raises what Redis raises.

    Saying something twice changes nothing.
    """

    def __init__(self) -> None:
        self._redis = connect()
        self._process = uuid.uuid4().hex

    def exchange(self, *, opened: Sequence[OpenSocket], closed: Sequence[OpenSocket]) -> Counted:
        """Hold the lease of this process, and say what was opened and closed."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(self._lease, b"1", ex=LEASE_SECONDS, get=True)
        for socket in closed:
            pipeline.zrem(_sockets(socket.user_id), self._member(socket))
        most = settings.LIMITS["SOCKETS_PER_USER"]
        for socket in opened:
            numbers = (socket.opened_at, self._member(socket), most, _KEPT_SECONDS)
            pipeline.eval(_OPEN, 1, _sockets(socket.user_id), *numbers)
        answers = pipeline.execute()
        over = [_id(member) for each in answers[1 + len(closed) :] for member in each]
        return Counted(over, lost=answers[0] is None)

    def end(self) -> None:
        """The sockets of this process count no more."""
        self._redis.delete(self._lease)

    @property
    def _lease(self) -> str:
        return f"parley:process:{self._process}"

    def _member(self, socket: OpenSocket) -> str:
        return f"{self._process}:{socket.id}"


def _sockets(user_id: str) -> str:
    return f"parley:sockets:{user_id}"


def _id(member: bytes) -> str:
    return member.decode().partition(":")[2]
