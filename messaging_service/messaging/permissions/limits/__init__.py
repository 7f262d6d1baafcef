"""How often somebody may ask: buckets shared by all processes and doors, and a socket's own.

bucket.py          Bucket: in memory, for what only one process sees
shared.py          SharedLimit: one for each user; where Redis is away, each process counts alone
redis_buckets.py   the buckets in Redis
sockets.py         SocketCount: how many sockets somebody holds open
typing.py          TypingLimit: how much of somebody's typing others are told of
"""

import os
from functools import cache
from typing import Final

from django.conf import settings

from messaging.permissions.limits.bucket import Bucket, Given
from messaging.permissions.limits.shared import SharedLimit
from messaging.permissions.limits.typing import TypingLimit

__all__ = [
    "Bucket",
    "Given",
    "SharedLimit",
    "TypingLimit",
    "command_bucket",
    "contact_limit",
    "message_limit",
    "operator_name_limit",
    "operator_place_limit",
    "presence_limit",
]

SECONDS_AN_HOUR: Final = 3_600
PRESENCES_PER_SECOND: Final = 2
PRESENCE_BURST: Final = 20
SECONDS_A_MINUTE: Final = 60
OPERATOR_TRIES: Final = 5
OPERATOR_TRIES_AT_ADDRESS: Final = 20


@cache
def message_limit() -> SharedLimit:
    """What everybody may send, in all processes and through all doors together."""
    return SharedLimit(
        "messages",
        per_second=settings.LIMITS["MESSAGES_PER_SECOND"],
        burst=settings.LIMITS["MESSAGE_BURST"],
    )


@cache
def contact_limit() -> SharedLimit:
    """How often somebody may ask others to become his contacts, or take a block back."""
    most = settings.LIMITS["CONTACT_REQUESTS_PER_HOUR"]
    return SharedLimit("contact_requests", per_second=most / SECONDS_AN_HOUR, burst=most)


@cache
def presence_limit() -> SharedLimit:
    """How often somebody may say how he is: each time is told to everybody near him."""
    return SharedLimit("presence", per_second=PRESENCES_PER_SECOND, burst=PRESENCE_BURST)


@cache
def operator_name_limit() -> SharedLimit:
    """How often operators' passwords are tried for one name from one place; all else is apart."""
    per_second = OPERATOR_TRIES / SECONDS_A_MINUTE
    return SharedLimit("operator", per_second=per_second, burst=OPERATOR_TRIES)


@cache
def operator_place_limit() -> SharedLimit:
    """How often they are tried for all names together from one place."""
    per_second = OPERATOR_TRIES_AT_ADDRESS / SECONDS_A_MINUTE
    return SharedLimit("operators", per_second=per_second, burst=OPERATOR_TRIES_AT_ADDRESS)


def command_bucket() -> Bucket:
    """What one socket may ask; make one for each."""
    return Bucket(
        per_second=settings.LIMITS["COMMANDS_PER_SECOND"], burst=settings.LIMITS["COMMAND_BURST"]
    )


# A child must not talk over its parent's connections.
for limit in (
    message_limit,
    contact_limit,
    presence_limit,
    operator_name_limit,
    operator_place_limit,
):
    os.register_at_fork(after_in_child=limit.cache_clear)
