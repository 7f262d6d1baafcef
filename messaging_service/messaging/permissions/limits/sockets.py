"""How many sockets somebody holds open, in all processes together."""

import uuid
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from time import monotonic
from typing import Final, NamedTuple

from django.conf import settings

from service_kit.redis_client import connect

LEASE_SECONDS: Final = 10
# Of a process that dies without a word nothing is left after the longer; until then each socket is
# said again and again.
_KEPT_SECONDS: Final = 40
AGAIN_SECONDS: Final = 15.0
MOST_AGAIN: Final = 2_000

# KEYS: this process' lease; then of each closed and of each opened socket its owner's sockets, by
# the time they were opened. ARGV: seconds of the lease, limit, how many are closed; of each closed
# one its name, of each opened one its time and its name. A socket is `<process>:<id>`, and none at
# all once its process' lease has run out. Answers with the lease as it was, and the oldest sockets
# that are too many, which are none from here on.
_EXCHANGE: Final = f"""
local most, closed, over = tonumber(ARGV[2]), tonumber(ARGV[3]), {{}}
local held = redis.call('SET', KEYS[1], '1', 'EX', ARGV[1], 'GET')

local function drop_oldest(key)
    local alive = {{}}
    for _, socket in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        if redis.call('EXISTS', 'parley:process:' .. string.match(socket, '^[^:]+')) == 1 then
            alive[#alive + 1] = socket
        else
            redis.call('ZREM', key, socket)
        end
    end
    for n = 1, #alive - most do
        redis.call('ZREM', key, alive[n])
        over[#over + 1] = alive[n]
    end
end

for n = 1, closed do
    redis.call('ZREM', KEYS[1 + n], ARGV[3 + n])
end
for n = 1, #KEYS - 1 - closed do
    local key, at = KEYS[1 + closed + n], 2 + closed + 2 * n
    redis.call('ZADD', key, ARGV[at], ARGV[at + 1])
    redis.call('EXPIRE', key, {_KEPT_SECONDS})
    if redis.call('ZCARD', key) > most then drop_oldest(key) end
end
return {{held, over}}
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
        self._exchange = self._redis.register_script(_EXCHANGE)
        self._process = uuid.uuid4().hex
        # The longest ago first, with the moment.
        self._said: dict[str, tuple[OpenSocket, float]] = {}

    def exchange(self, *, opened: Sequence[OpenSocket], closed: Sequence[OpenSocket]) -> Counted:
        """Hold the lease of this process, and say what was opened and closed, in one call.

        To be called every few seconds.
        """
        for socket in closed:
            self._said.pop(socket.id, None)
        saying = [*self._due(), *opened]
        keys = [self._lease, *(_sockets(socket.user_id) for socket in (*closed, *saying))]
        numbers = [LEASE_SECONDS, settings.LIMITS["SOCKETS_PER_USER"], len(closed)]
        names = [self._member(socket) for socket in closed]
        for socket in saying:
            names += [str(socket.opened_at), self._member(socket)]
        held, over = self._exchange(keys=keys, args=[*numbers, *names])
        if held is None:
            self._said.clear()
        self._remember(saying)
        return Counted([_id(member) for member in over], lost=held is None)

    def end(self) -> None:
        """The sockets of this process count no more."""
        self._redis.delete(self._lease)

    def _due(self) -> list[OpenSocket]:
        """Those that were not said for a while."""
        until = monotonic() - AGAIN_SECONDS
        due = takewhile(lambda said: said[1] <= until, self._said.values())
        return [socket for socket, _ in islice(due, MOST_AGAIN)]

    def _remember(self, said: Iterable[OpenSocket]) -> None:
        now = monotonic()
        for socket in said:
            self._said.pop(socket.id, None)
            self._said[socket.id] = socket, now

    @property
    def _lease(self) -> str:
        return f"parley:process:{self._process}"

    def _member(self, socket: OpenSocket) -> str:
        return f"{self._process}:{socket.id}"


def _sockets(user_id: str) -> str:
    return f"parley:sockets:{user_id}"


def _id(member: bytes) -> str:
    return member.decode().partition(":")[2]
